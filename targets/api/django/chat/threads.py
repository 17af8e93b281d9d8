"""A few threads of this process for everything that waits: database, Redis, password hashing.

They keep their database connections (SQLite) or give them back to the pool after each piece of work (PostgreSQL).
Django's own way, a new thread and a new connection for every request, costs several times as much.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse

T = TypeVar("T")

DATABASE = ThreadPoolExecutor(settings.DATABASE_THREADS, "database")
# A sign-in hashes for half a second: in threads of its own it holds up nobody's message.
PASSWORDS = ThreadPoolExecutor(2, "passwords")


async def in_thread(function: Callable[..., T], *args: Any, pool: ThreadPoolExecutor = DATABASE) -> T:
    """Run a function in one of the threads and return what it returns."""
    return await asyncio.get_running_loop().run_in_executor(pool, _run, function, args)


def _run(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    try:
        return function(*args)
    finally:
        close_old_connections()


def threaded(
    view: Callable[..., HttpResponse], pool: ThreadPoolExecutor = DATABASE
) -> Callable[..., Awaitable[HttpResponse]]:
    """Turn a view of Django REST Framework into an async one that works and renders in one of the threads."""

    def respond(request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponse:
        response = view(request, **kwargs)
        if not hasattr(response, "render"):
            return response
        response.render()
        # A plain response: Django would send one that can render through yet another thread.
        plain = HttpResponse(response.content, status=response.status_code, headers=dict(response.headers))
        plain.cookies = response.cookies
        return plain

    @wraps(view)
    async def async_view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        return await in_thread(respond, request, kwargs, pool=pool)

    return async_view
