"""Users, their sessions and tokens, conversations and messages."""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from chat.database import Moment
from chat.extensions import db

Role = Literal["user", "moderator", "admin"]
TITLE_CHARS = 200
DERIVED_TITLE_CHARS = 60


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return a moment in RFC 3339, UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def digest_of(token: str) -> str:
    """Return what is stored of a token: its SHA-256, so that a stolen table opens nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


class User(UserMixin, db.Model):
    """A user, or a program that signs in as one."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(150), unique=True)
    password: Mapped[str] = mapped_column(String(128))
    role: Mapped[Role] = mapped_column(String(9), default="user")
    is_active: Mapped[bool] = mapped_column(default=True)

    @property
    def moderates(self) -> bool:
        """Whether this user reads anybody's conversations and hides answers."""
        return self.role in ("moderator", "admin")

    def as_dict(self) -> dict[str, Any]:
        """Return the user as the API shows it."""
        return {"id": self.id, "username": self.username, "role": self.role, "is_active": self.is_active}


class StoredSession(db.Model):
    """A browser's session."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[Moment] = mapped_column(index=True)


class AccessToken(db.Model):
    """A bearer token of a program."""

    __tablename__ = "access_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    expires_at: Mapped[Moment]

    @staticmethod
    def new() -> str:
        """Return a new token; it is stored by its digest and cannot be read again."""
        return secrets.token_urlsafe(32)


class Conversation(db.Model):
    """A conversation of one user with the model."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_listed", "owner_id", "updated_at", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(TITLE_CHARS), default="")
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    def as_dict(self) -> dict[str, Any]:
        """Return the conversation as the API shows it."""
        return {
            "id": str(self.id),
            "title": self.title,
            "created_at": timestamp(self.created_at),
            "updated_at": timestamp(self.updated_at),
        }


class Message(db.Model):
    """One message of a conversation; feedback and hiding concern answers only."""

    __tablename__ = "messages"
    __table_args__ = (Index("messages_listed", "conversation_id", "created_at", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    role: Mapped[Literal["user", "assistant"]] = mapped_column(String(9))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
    hidden: Mapped[bool] = mapped_column(default=False)
    feedback: Mapped[Literal["up", "down"] | None] = mapped_column(String(4))

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return the message as the API shows it; the text of a hidden one only where it may be revealed."""
        hidden = bool(self.hidden)
        return {
            "id": str(self.id),
            "role": self.role,
            "content": "" if hidden and not reveal else self.content,
            "created_at": timestamp(self.created_at),
            "hidden": hidden,
            "feedback": self.feedback,
        }
