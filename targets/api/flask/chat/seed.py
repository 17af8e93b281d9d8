"""The data set every build is measured with; the contract says what is in it."""

import hashlib
import random
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import delete, insert, text

from chat import passwords
from chat.extensions import db
from chat.models import AccessToken, Conversation, Message, StoredSession, User, digest_of, now

PASSWORD = "chatbench-demo"  # noqa: S105  # of every seeded account
SESSION_DAYS = 30
BEGINNING = datetime(2025, 4, 8, 8, tzinfo=UTC)
STAFF = ("moderator", "admin")
BATCH = 5000
WORDS = (  # noqa: SIM905  # as the contract writes it
    "time year people way day thing world life hand part child eye woman place work week case point government "
    "company number group problem fact question water money story month study book word business issue side kind "
    "head house service friend father power hour game line member city community name president team minute idea "
    "body information back parent face level office door health person art history party result change morning "
    "reason research moment teacher force education"
).split()
Row = dict[str, Any]


def fill(users: int, conversations: int, seed: int) -> int:
    """Replace everything stored, in one transaction; return the number of users."""
    for model in (Message, Conversation, AccessToken, StoredSession, User):
        db.session.execute(delete(model))
    names = [f"user{number:04d}" for number in range(1, users + 1)]
    people = list(_people([*names, *STAFF], seed))
    _insert(User, people)
    _insert(StoredSession, _sessions(people, seed))
    _insert(Conversation, (c for person in people[:users] for c in _conversations(person, conversations, seed)))
    _insert(Message, (m for person in people[:users] for m in _messages(person, conversations, seed)))
    if db.engine.dialect.name == "postgresql":  # it counts on from here
        db.session.execute(text("SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users))"))
    db.session.commit()
    return len(people)


def _people(names: list[str], seed: int) -> Iterator[Row]:
    """Yield users; one hash serves them all, or seeding would take minutes."""
    password = passwords.hashed(PASSWORD, _digest(f"{seed}:salt")[:22])
    for number, name in enumerate(names, start=1):
        role = name if name in STAFF else "user"
        yield {"id": number, "username": name, "password": password, "role": role, "is_active": True}


def _sessions(people: list[Row], seed: int) -> Iterator[Row]:
    """Yield a session per user, signed in beforehand."""
    expires_at = now() + timedelta(days=SESSION_DAYS)
    for person in people:
        token = _digest(f"{seed}:session:{person['username']}")[:32]
        data = orjson.dumps({"_user_id": str(person["id"]), "_fresh": True}).decode()
        yield {"digest": digest_of(token), "data": data, "expires_at": expires_at}


def _conversations(person: Row, count: int, seed: int) -> Iterator[Row]:
    for number in range(count):
        begun = BEGINNING + timedelta(days=number)
        yield {
            "id": _id(f"{seed}:conversation:{person['username']}:{number}"),
            "owner_id": person["id"],
            "title": f"Conversation {number + 1}",
            "created_at": begun,
            "updated_at": begun + timedelta(minutes=_message_count(number) - 1),
        }


def _messages(person: Row, count: int, seed: int) -> Iterator[Row]:
    for number in range(count):
        name = f"{person['username']}:{number}"
        rng = random.Random(f"{seed}:{name}")  # noqa: S311  # a data set, not a secret
        for index in range(_message_count(number)):
            asks = index % 2 == 0
            said = " ".join(rng.choices(WORDS, k=12 if asks else 40)).capitalize() + ("?" if asks else ".")
            yield {
                "id": _id(f"{seed}:message:{name}:{index}"),
                "conversation_id": _id(f"{seed}:conversation:{name}"),
                "role": "user" if asks else "assistant",
                "content": said,
                "created_at": BEGINNING + timedelta(days=number, minutes=index),
                "hidden": False,
                "feedback": None,
            }


def _message_count(number: int) -> int:
    return 2 * (1 + number % 4)


def _insert(model: type[db.Model], rows: Iterable[Row]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        db.session.execute(insert(model.__table__), batch)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _id(text: str) -> uuid.UUID:
    return uuid.UUID(_digest(text)[:32])
