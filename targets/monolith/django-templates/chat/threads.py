"""A few threads of this process for everything that waits: database, templates, password hashing.

They keep their database connections. Django's own way, a new thread and a new connection for every request, costs
several times as much.
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
View = Callable[..., HttpResponse]

DATABASE = ThreadPoolExecutor(settings.DATABASE_THREADS, "database")
# A sign-in hashes for half a second: in threads of its own it holds up nobody's message.
PASSWORDS = ThreadPoolExecutor(2, "passwords")


async def in_thread(function: Callable[..., T], *args: Any, pool: ThreadPoolExecutor = DATABASE, **kwargs: Any) -> T:
    """Run a function in one of the threads and return what it returns."""
    return await asyncio.get_running_loop().run_in_executor(pool, _run, function, args, kwargs)


def _run(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()


def threaded(pool: ThreadPoolExecutor = DATABASE) -> Callable[[View], Callable[..., Awaitable[HttpResponse]]]:
    """Turn a plain view into an async one that works in one of the threads."""

    def decorated(view: View) -> Callable[..., Awaitable[HttpResponse]]:
        @wraps(view)
        async def async_view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            return await in_thread(view, request, pool=pool, **kwargs)

        return async_view

    return decorated
