"""What is stored: users, their sign-ins and tokens, conversations and messages."""

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    func,
    select,
)
from sqlalchemy.types import TypeDecorator

Role = Literal["user", "moderator", "admin"]
Author = Literal["user", "assistant"]
Thumb = Literal["up", "down"]
TITLE_CHARS = 200
DERIVED_TITLE_CHARS = 60


def now() -> datetime:
    """Return this moment, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment with its time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _one_of(name: str, *values: str) -> Enum:
    return Enum(*values, name=name, native_enum=False, create_constraint=True)


metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(150), nullable=False, unique=True),
    Column("password", String(128), nullable=False),
    Column("role", _one_of("user_role", "user", "moderator", "admin"), nullable=False, default="user"),
    Column("is_active", Boolean, nullable=False, default=True),
)

# What a browser's cookie says is stored as a keyed digest.
browser_sessions = Table(
    "browser_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

# Of a program's bearer token only the SHA-256 is stored, so a stolen table opens nothing.
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("title", String(TITLE_CHARS), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

# Feedback and hiding concern answers only.
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("role", _one_of("message_author", "user", "assistant"), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("feedback", _one_of("message_feedback", "up", "down")),
    Index("message_list", "conversation_id", "created_at", "id"),
)

# Not stored: sending a message then is one insert, which holds SQLite's only write lock for one statement.
last_message_at = (
    select(func.max(messages.c.created_at)).where(messages.c.conversation_id == conversations.c.id).scalar_subquery()
)
updated_at = func.coalesce(last_message_at, conversations.c.created_at).label("updated_at")
