"""The data set every build is measured with; the contract says what is in it."""

import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, func, insert, select

from app.database import Connections
from app.identity import session_digest
from app.passwords import hashed
from app.tables import Role, access_tokens, browser_sessions, messages, now, users
from app.tables import conversations as conversation_table

PASSWORD = "chatbench-demo"  # noqa: S105  # of every seeded account
SESSION_DAYS = 30
BEGINNING = datetime(2025, 4, 8, 8, tzinfo=UTC)
STAFF: tuple[Role, ...] = ("moderator", "admin")
BATCH = 5000
WORDS = (  # noqa: SIM905  # as the contract writes it
    "time year people way day thing world life hand part child eye woman place work week case point government "
    "company number group problem fact question water money story month study book word business issue side kind "
    "head house service friend father power hour game line member city community name president team minute idea "
    "body information back parent face level office door health person art history party result change morning "
    "reason research moment teacher force education"
).split()

Row = dict[str, Any]


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


async def fill(database: Connections, secret_key: str, *, people: int, conversations: int, seed: int) -> None:
    """Replace everything stored by users, sessions and conversations that depend on the seed alone."""
    persons = list(_people([f"user{number:04d}" for number in range(1, people + 1)], seed))
    talks = list(_conversations(persons[:people], conversations, seed))
    tables: list[tuple[Table, list[Row]]] = [
        (users, persons),
        (browser_sessions, list(_sessions(persons, secret_key, seed))),
        (conversation_table, [conversation for conversation, _ in talks]),
        (messages, [message for _, said in talks for message in said]),
    ]
    async with database.write() as connection:
        for table in (messages, conversation_table, access_tokens, browser_sessions, users):
            await connection.execute(delete(table))
        for table, rows in tables:
            for start in range(0, len(rows), BATCH):
                await connection.execute(insert(table), rows[start : start + BATCH])
        if connection.dialect.name == "postgresql":  # it counts on from here
            sequence = func.pg_get_serial_sequence(users.name, users.c.id.name)
            await connection.execute(select(func.setval(sequence, len(persons))))


def _people(names: list[str], seed: int) -> Iterator[Row]:
    password = hashed(PASSWORD, digest(f"{seed}:salt")[:22])  # one hash for all, or seeding would take ten minutes
    for pk, name in enumerate([*names, *STAFF], start=1):
        role = name if name in STAFF else "user"
        yield {"id": pk, "username": name, "password": password, "role": role, "is_active": True}


def _sessions(people: list[Row], secret_key: str, seed: int) -> Iterator[Row]:
    expires_at = now() + timedelta(days=SESSION_DAYS)
    for person in people:
        token = digest(f"{seed}:session:{person['username']}")[:32]
        yield {"digest": session_digest(secret_key, token), "user_id": person["id"], "expires_at": expires_at}


def _conversations(owners: list[Row], count: int, seed: int) -> Iterator[tuple[Row, list[Row]]]:
    for owner in owners:
        for number in range(count):
            name = f"{owner['username']}:{number}"
            begun = BEGINNING + timedelta(days=number)
            conversation = {
                "id": uuid.UUID(digest(f"{seed}:conversation:{name}")[:32]),
                "owner_id": owner["id"],
                "title": f"Conversation {number + 1}",
                "created_at": begun,
            }
            yield conversation, list(_messages(conversation, name, 2 * (1 + number % 4), seed))


def _messages(conversation: Row, name: str, count: int, seed: int) -> Iterator[Row]:
    rng = random.Random(f"{seed}:{name}")  # noqa: S311  # a data set, not a secret
    for index in range(count):
        person = index % 2 == 0
        yield {
            "id": uuid.UUID(digest(f"{seed}:message:{name}:{index}")[:32]),
            "conversation_id": conversation["id"],
            "role": "user" if person else "assistant",
            "content": " ".join(rng.choices(WORDS, k=12 if person else 40)).capitalize() + ("?" if person else "."),
            "created_at": conversation["created_at"] + timedelta(minutes=index),
            "hidden": False,
        }
