"""What the chatbot keeps: users, sessions, conversations, messages. Every read of a user's data names its owner."""

import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

import streamlit as st

import settings
from database import Database

Role = Literal["user", "moderator", "admin"]
Feedback = Literal["up", "down"]
ROLES: tuple[Role, ...] = ("user", "moderator", "admin")
TITLE_CHARS = 60
SESSION_S = 30 * 24 * 3600.0
CODE_S = 60.0


@dataclass(frozen=True, slots=True)
class User:
    """A user who may sign in."""

    id: int
    username: str
    role: Role
    is_active: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; times are seconds since the epoch."""

    id: int
    title: str
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Message:
    """A message or an answer; an answer cut short is not complete."""

    id: int
    role: Literal["user", "assistant"]
    content: str
    created_at: float
    complete: bool
    hidden: bool
    feedback: Feedback | None


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer as moderators see it."""

    id: int
    username: str
    title: str
    content: str
    hidden: bool
    feedback: Feedback | None


def _user(row: sqlite3.Row) -> User:
    return User(row["id"], row["username"], row["role"], bool(row["is_active"]))


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(row["id"], row["title"], row["created_at"], row["updated_at"])


def _message(row: sqlite3.Row) -> Message:
    values = (row["id"], row["role"], row["content"], row["created_at"])
    return Message(*values, bool(row["complete"]), bool(row["hidden"]), row["feedback"])


def _like(search: str) -> str:
    escaped = search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


class Store:
    """All that is asked of the database, in short transactions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # Users and sessions

    def credentials(self, username: str) -> tuple[User, str] | None:
        """Return the active user of this name with the password's hash."""
        row = self.database.row("SELECT * FROM users WHERE username = ? AND is_active", username)
        return (_user(row), row["password"]) if row else None

    def open_session(self, user_id: int, code_hash: str) -> int:
        """Begin a session whose cookie can be fetched once with the code, within a minute."""
        now = time.time()
        with self.database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE user_id = ? AND expires_at < ?", (user_id, now))
            cursor = db.execute(
                "INSERT INTO sessions (user_id, expires_at, code_hash, code_expires_at) VALUES (?, ?, ?, ?)",
                (user_id, now + SESSION_S, code_hash, now + CODE_S),
            )
            return int(cursor.lastrowid or 0)

    def claim_session(self, code_hash: str, token_hash: str) -> bool:
        """Give the session of this code its cookie; False if the code is unknown, used or too old."""
        sql = "UPDATE sessions SET token_hash = ?, code_hash = NULL WHERE code_hash = ? AND code_expires_at > ?"
        return self.database.change(sql, token_hash, code_hash, time.time()) == 1

    def find_session(self, token_hash: str) -> int | None:
        """Return the session that this cookie belongs to."""
        row = self.database.row("SELECT id FROM sessions WHERE token_hash = ?", token_hash)
        return row["id"] if row else None

    def session_user(self, session_id: int) -> User | None:
        """Return the session's user while it is valid and the user active."""
        sql = """SELECT users.* FROM sessions JOIN users ON users.id = user_id
                 WHERE sessions.id = ? AND expires_at > ? AND is_active"""
        row = self.database.row(sql, session_id, time.time())
        return _user(row) if row else None

    def close_session(self, session_id: int) -> None:
        """Make the session's cookie worthless."""
        self.database.change("DELETE FROM sessions WHERE id = ?", session_id)

    def users(self, search: str, limit: int, offset: int) -> list[User]:
        """Return users by name."""
        sql = r"SELECT * FROM users WHERE username LIKE ? ESCAPE '\' ORDER BY username LIMIT ? OFFSET ?"
        return [_user(row) for row in self.database.rows(sql, _like(search), limit, offset)]

    def set_role(self, user_id: int, role: Role) -> None:
        """Give a user another role."""
        self.database.change("UPDATE users SET role = ? WHERE id = ?", role, user_id)

    def set_active(self, user_id: int, active: bool) -> None:
        """Let a user in, or keep the user out and end all sessions."""
        with self.database.transaction() as db:
            db.execute("UPDATE users SET is_active = ? WHERE id = ?", (active, user_id))
            if not active:
                db.execute("DELETE FROM sessions WHERE user_id = ?", (user_id,))

    def allow(self, name: str, limit: int) -> bool:
        """Count one use of ``name`` in the current minute; False beyond the limit. Shared by all processes."""
        sql = """INSERT INTO rates VALUES (?, ?, 1) ON CONFLICT (name) DO UPDATE SET
                 count = CASE WHEN minute = excluded.minute THEN count + 1 ELSE 1 END, minute = excluded.minute
                 RETURNING count"""
        with self.database.transaction() as db:
            return bool(db.execute(sql, (name, int(time.time() // 60))).fetchone()["count"] <= limit)

    # Conversations and messages

    def conversations(self, user_id: int, search: str, limit: int) -> list[Conversation]:
        """Return the newest conversations whose title contains the search text."""
        sql = r"""SELECT * FROM conversations WHERE user_id = ? AND title LIKE ? ESCAPE '\'
                  ORDER BY updated_at DESC, id DESC LIMIT ?"""
        return [_conversation(row) for row in self.database.rows(sql, user_id, _like(search), limit)]

    def conversation(self, user_id: int, conversation_id: int) -> Conversation | None:
        """Return one's own conversation; None for other users' too."""
        row = self.database.row("SELECT * FROM conversations WHERE id = ? AND user_id = ?", conversation_id, user_id)
        return _conversation(row) if row else None

    def rename(self, user_id: int, conversation_id: int, title: str) -> None:
        """Give one's own conversation another title."""
        sql = "UPDATE conversations SET title = ? WHERE id = ? AND user_id = ?"
        self.database.change(sql, title, conversation_id, user_id)

    def delete(self, user_id: int, conversation_id: int) -> None:
        """Delete one's own conversation with its messages."""
        self.database.change("DELETE FROM conversations WHERE id = ? AND user_id = ?", conversation_id, user_id)

    def messages(self, user_id: int, conversation_id: int, limit: int) -> list[Message]:
        """Return the last messages of one's own conversation, oldest first."""
        sql = """SELECT messages.* FROM messages JOIN conversations ON conversations.id = conversation_id
                 WHERE conversation_id = ? AND user_id = ? ORDER BY messages.id DESC LIMIT ?"""
        return [_message(row) for row in reversed(self.database.rows(sql, conversation_id, user_id, limit))]

    def add_message(self, user_id: int, conversation_id: int | None, content: str) -> int | None:
        """Add a user's message, to a new conversation where none is given.

        Returns the conversation's id; None if the conversation is gone or someone else's.
        """
        now = time.time()
        with self.database.transaction() as db:
            if conversation_id is None:
                title = " ".join(content[: 4 * TITLE_CHARS].split())[:TITLE_CHARS] or "New conversation"
                cursor = db.execute(
                    "INSERT INTO conversations (user_id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
                    (user_id, title, now, now),
                )
                conversation_id = cursor.lastrowid
            else:
                sql = "UPDATE conversations SET updated_at = ? WHERE id = ? AND user_id = ?"
                if db.execute(sql, (now, conversation_id, user_id)).rowcount == 0:
                    return None
            sql = "INSERT INTO messages (conversation_id, role, content, created_at) VALUES (?, 'user', ?, ?)"
            db.execute(sql, (conversation_id, content, now))
        return conversation_id

    def add_answer(self, conversation_id: int, content: str, complete: bool) -> int | None:
        """Add the model's answer and return its id; None if the conversation was deleted meanwhile."""
        sql = """INSERT INTO messages (conversation_id, role, content, created_at, complete)
                 SELECT id, 'assistant', ?, ?, ? FROM conversations WHERE id = ?"""
        with self.database.transaction() as db:
            cursor = db.execute(sql, (content, time.time(), complete, conversation_id))
            return cursor.lastrowid if cursor.rowcount else None

    def drop_partial_answer(self, user_id: int, conversation_id: int) -> None:
        """Delete the last answer of one's own conversation if it was cut short."""
        sql = """DELETE FROM messages WHERE complete = 0 AND id =
                 (SELECT max(id) FROM messages WHERE conversation_id =
                 (SELECT id FROM conversations WHERE id = ? AND user_id = ?))"""
        self.database.change(sql, conversation_id, user_id)

    def set_feedback(self, user_id: int, message_id: int, value: Feedback | None) -> None:
        """Keep what a user thinks of an answer given to that user."""
        sql = """UPDATE messages SET feedback = ? WHERE id = ? AND role = 'assistant'
                 AND conversation_id IN (SELECT id FROM conversations WHERE user_id = ?)"""
        self.database.change(sql, value, message_id, user_id)

    # Moderation

    def answers_to_judge(self, only_flagged: bool, limit: int) -> list[JudgedAnswer]:
        """Return the newest answers of everyone, or only those disliked or hidden."""
        where = "(feedback = 'down' OR hidden = 1) AND" if only_flagged else ""
        sql = f"""SELECT messages.id, username, title, content, hidden, feedback FROM messages
                  JOIN conversations ON conversations.id = conversation_id JOIN users ON users.id = user_id
                  WHERE {where} messages.role = 'assistant' ORDER BY messages.id DESC LIMIT ?"""  # noqa: S608  # two constants
        rows = self.database.rows(sql, limit)
        return [JudgedAnswer(r[0], r[1], r[2], r[3], bool(r["hidden"]), r["feedback"]) for r in rows]

    def set_hidden(self, message_id: int, hidden: bool) -> None:
        """Hide an answer from its reader, or show it again."""
        self.database.change("UPDATE messages SET hidden = ? WHERE id = ? AND role = 'assistant'", hidden, message_id)


@st.cache_resource(show_spinner=False)
def get_store() -> Store:
    """Return the store of this process."""
    return Store(Database(settings.load().data_dir / "chat.sqlite3"))
