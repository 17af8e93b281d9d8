"""The application: what it is made of, and what lives as long as its process."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import FastAPI

from app import cache, openapi, problems, settings
from app.database import Connections
from app.frontend import FrontEnd, nothing
from app.headers import SecurityHeaders
from app.language_model import LanguageModel
from app.routers import accounts, conversations, messages, service


def freeze_imports() -> None:
    """Spare garbage collection what was imported: it would walk that while every stream waits. Full ones are rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 100)


def create_app(chosen: settings.Settings | None = None) -> FastAPI:
    """Return the application; uvicorn's ``--factory`` calls this in each of its processes."""
    config = chosen or settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        connections = Connections(config)
        remembered = cache.create(config.redis_url)
        model = LanguageModel(config)
        state = {
            "settings": config,
            "database": connections,
            "cache": remembered,
            "model": model,
            "openapi": orjson.dumps(app.openapi()),
        }
        if config.freeze_imports:
            freeze_imports()
        yield state
        await model.close()
        await remembered.close()
        await connections.close()

    app = FastAPI(
        title=openapi.TITLE,
        version="1.0.0",
        lifespan=lifespan,
        openapi_url=None,  # /api/schema serves it; its viewers need scripts the Content-Security-Policy forbids
        redirect_slashes=False,
    )
    app.add_middleware(SecurityHeaders)
    problems.install(app)
    openapi.install(app)
    for router in (accounts.router, conversations.router, messages.router, service.router):
        app.include_router(router)
    # Not a mount, which would also take what the API refuses with 405.
    app.router.default = FrontEnd(directory=config.web_root, html=True) if config.web_root else nothing
    return app
