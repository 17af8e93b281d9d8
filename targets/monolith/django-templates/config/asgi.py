"""The ASGI application: Django, with the life of the process's connections tied to the server's."""

import gc
import os
from typing import Any

import django
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup(set_prefix=False)

from chat import language_model  # noqa: E402  # needs the settings
from django import db  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402


class Application(ASGIHandler):
    """Django without a thread per request: whatever waits goes to the threads of chat/threads.py."""

    def __init__(self) -> None:
        super().__init__()
        # They would cost each request two thread hops to close connections that chat/threads.py looks after.
        request_started.disconnect(db.reset_queries)
        request_started.disconnect(db.close_old_connections)
        request_finished.disconnect(db.close_old_connections)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve a request, or start and stop."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        else:
            await self.handle(scope, receive, send)

    async def live(self, receive: Any, send: Any) -> None:
        """Say that the process is ready; close what is open when the server stops."""
        await receive()
        if settings.FREEZE_IMPORTS:
            freeze_imports()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await language_model.close()
        await send({"type": "lifespan.shutdown.complete"})


def freeze_imports() -> None:
    """Spare garbage collection what was imported: it would walk that while every stream waits. Full ones are rare."""
    get_resolver().url_patterns  # noqa: B018  # Django imports the views with the first request: have them now
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 100)


application = Application()
