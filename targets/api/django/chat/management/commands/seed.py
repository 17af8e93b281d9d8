"""The data set every build is measured with; targets/CONTRACT.md says what is in it."""

import hashlib
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandParser
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from chat.models import AccessToken, Conversation, Message

PASSWORD = "chatbench-demo"  # noqa: S105  # of every seeded account
ITERATIONS = 1_000_000
SESSION_DAYS = 30
BEGINNING = datetime(2025, 4, 8, 8, tzinfo=UTC)
STAFF = ("moderator", "admin")
BATCH = 500
WORDS = (  # noqa: SIM905  # as the contract writes it
    "time year people way day thing world life hand part child eye woman place work week case point government "
    "company number group problem fact question water money story month study book word business issue side kind "
    "head house service friend father power hour game line member city community name president team minute idea "
    "body information back parent face level office door health person art history party result change morning "
    "reason research moment teacher force education"
).split()


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


class Command(BaseCommand):
    """Replace everything stored by users, sessions and conversations that depend on the seed alone."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the size and the seed."""
        parser.add_argument("--users", type=int, default=1000)
        parser.add_argument("--conversations", type=int, default=10)
        parser.add_argument("--seed", type=int, default=42)

    @transaction.atomic
    def handle(self, *args: Any, users: int, conversations: int, seed: int, **options: Any) -> None:
        """Fill the database."""
        for model in (Message, Conversation, AccessToken, Session, User):
            model.objects.all().delete()
        people = self.add_users([f"user{number:04d}" for number in range(1, users + 1)], seed)
        self.add_sessions(people, seed)
        self.add_conversations(people[:users], conversations, seed)
        self.stdout.write(f"{len(people)} users, {users * conversations} conversations, seed {seed}")

    def add_users(self, names: list[str], seed: int) -> list[User]:
        """Add the users and the staff; one hash serves them all, or seeding would take ten minutes."""
        password = PBKDF2PasswordHasher().encode(PASSWORD, digest(f"{seed}:salt")[:22], ITERATIONS)
        people = [User(pk=pk, username=name, password=password) for pk, name in enumerate([*names, *STAFF], start=1)]
        User.objects.bulk_create(people, batch_size=BATCH)
        for user in people[len(names) :]:
            user.groups.add(Group.objects.get(name=user.username))
        for statement in connection.ops.sequence_reset_sql(no_style(), [User]):  # PostgreSQL counts on from here
            with connection.cursor() as cursor:
                cursor.execute(statement)
        return people

    def add_sessions(self, people: list[User], seed: int) -> None:
        """Sign everybody in."""
        expires = timezone.now() + timedelta(days=SESSION_DAYS)
        store = SessionStore()
        Session.objects.bulk_create(
            [
                Session(
                    session_key=digest(f"{seed}:session:{user.username}")[:32],
                    session_data=store.encode(
                        {
                            "_auth_user_id": str(user.pk),
                            "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                            "_auth_user_hash": user.get_session_auth_hash(),
                        }
                    ),
                    expire_date=expires,
                )
                for user in people
            ],
            batch_size=BATCH,
        )

    def add_conversations(self, owners: list[User], count: int, seed: int) -> None:
        """Add what users said before."""
        conversations: list[Conversation] = []
        messages: list[Message] = []
        for owner in owners:
            for number in range(count):
                name = f"{owner.username}:{number}"
                begun = BEGINNING + timedelta(days=number)
                conversation = Conversation(
                    id=uuid.UUID(digest(f"{seed}:conversation:{name}")[:32]),
                    owner=owner,
                    title=f"Conversation {number + 1}",
                    created_at=begun,
                )
                added = list(self.messages(conversation, name, 2 * (1 + number % 4), seed))
                conversation.updated_at = added[-1].created_at
                conversations.append(conversation)
                messages += added
        Conversation.objects.bulk_create(conversations, batch_size=BATCH)
        Message.objects.bulk_create(messages, batch_size=BATCH)

    def messages(self, conversation: Conversation, name: str, count: int, seed: int) -> Iterator[Message]:
        """Yield the messages of one conversation."""
        rng = random.Random(f"{seed}:{name}")  # noqa: S311  # a data set, not a secret
        for index in range(count):
            person = index % 2 == 0
            text = " ".join(rng.choices(WORDS, k=12 if person else 40)).capitalize() + ("?" if person else ".")
            yield Message(
                id=uuid.UUID(digest(f"{seed}:message:{name}:{index}")[:32]),
                conversation=conversation,
                role=Message.Role.USER if person else Message.Role.ASSISTANT,
                content=text,
                created_at=conversation.created_at + timedelta(minutes=index),
            )
