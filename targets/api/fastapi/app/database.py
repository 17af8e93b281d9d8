"""The database: SQLite in DATA_DIR, or PostgreSQL at DATABASE_URL; both by asyncio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.settings import Settings
from app.tables import metadata

TIMEOUT_S = 5
CONNECTIONS = 4  # of each process; with SQLite each is a thread
SQLITE_SETUP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=134217728",
)


class Connections:
    """The process's connections, opened when first needed. Each use gives its connection back at once."""

    def __init__(self, settings: Settings) -> None:
        self.engine = _engine(settings)
        # SQLite has one writer at a time. Waiting here is fair and costs nothing; waiting there is polling in a thread.
        self._writer: asyncio.Lock | None = asyncio.Lock() if self.engine.name == "sqlite" else None

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Return a connection to read with."""
        return self.engine.connect()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a transaction, committed at the end."""
        async with self._writer or nullcontext(), self.engine.begin() as connection:
            yield connection

    async def create_tables(self) -> None:
        """Create the tables and indexes that are missing."""
        async with self.write() as connection:
            await connection.run_sync(metadata.create_all)

    async def drop_tables(self) -> None:
        """Drop the tables, with what they hold."""
        async with self.write() as connection:
            await connection.run_sync(metadata.drop_all)

    async def close(self) -> None:
        """Close them."""
        await self.engine.dispose()


def _engine(settings: Settings) -> AsyncEngine:
    url = settings.database()
    options: dict[str, Any] = {
        "pool_size": settings.database_connections or CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": TIMEOUT_S,
    }
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url, connect_args={"connect_timeout": TIMEOUT_S}, **options)
    # IMMEDIATE: two writers wait for each other; DEFERRED ones would fail on the upgrade to a write lock. The driver
    # begins a transaction with the first statement that writes, so reading begins none.
    arguments = {"timeout": TIMEOUT_S, "isolation_level": "IMMEDIATE"}
    engine = create_async_engine(url, connect_args=arguments, **options)
    event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for statement in SQLITE_SETUP:
        cursor.execute(statement)
    cursor.close()
    # SQLite's own knows no letters but a to z: searching would find "zebra" in any case, but not "émile".
    connection.create_function("lower", 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


async def _of_process(request: Request) -> Any:  # FastAPI would run a plain function in a thread
    return request.state.database


Database = Annotated[Connections, Depends(_of_process)]
