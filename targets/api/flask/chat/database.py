"""What the database is like: its types, and SQLite with several writers."""

import sqlite3
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import gevent
from sqlalchemy import DateTime, Dialect, Engine, event
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

SQLITE_SETUP = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=134217728",
)
BUSY_S = 5.0


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, stores it without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment as it is stored."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its time zone."""
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


Moment = Annotated[datetime, mapped_column(UtcDateTime)]


class Base(DeclarativeBase):
    """The base of all models."""


@event.listens_for(Engine, "connect")
def _set_up(connection: Any, record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        for statement in SQLITE_SETUP:
            connection.execute(statement).close()


@event.listens_for(Engine, "before_cursor_execute")
def _begin_at_first_write(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """Begin a SQLite transaction with its first write, and at once as a writer.

    Reads need none: each sees one state of the database. A transaction that begins by reading and then writes would
    fail without waiting ("database is locked") if somebody else wrote in between.
    """
    if isinstance(cursor, sqlite3.Cursor) and context is not None and _writes(context):
        dbapi: sqlite3.Connection = cursor.connection
        if not dbapi.in_transaction:
            _begin_immediate(dbapi)


def _writes(context: Any) -> bool:
    return bool(context.isinsert or context.isupdate or context.isdelete)


def _begin_immediate(dbapi: sqlite3.Connection) -> None:
    """Become the writer, waiting for up to BUSY_S.

    SQLite itself waits inside a C call, which under gevent stops the whole process: other requests would stand still,
    and a writer among them could never finish. Sleeping between tries lets them go on.
    """
    deadline_s = time.monotonic() + BUSY_S
    pause_s = 0.001
    dbapi.execute("PRAGMA busy_timeout=0").close()
    try:
        while True:
            try:
                dbapi.execute("BEGIN IMMEDIATE").close()
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                    raise
            gevent.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.02)
    finally:
        dbapi.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}").close()
