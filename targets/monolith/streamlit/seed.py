"""Fill an empty DATA_DIR with the demonstration data: the same arguments give the same users and conversations."""

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import settings
from auth import hash_password, hash_token
from database import Database
from store import SESSION_S

PASSWORD = "chatbench-demo"  # noqa: S105  # published: demonstration data
EPOCH_S = 1_767_225_600.0  # 2026-01-01, so that times do not depend on when the data is made
_TEXT = (
    "able about after answer because before between bring build change city clear close could course different "
    "early earth example family first follow found great group house idea keep large learn letter light little live "
    "long many might morning never night number often order other paper part people place plan point question "
    "reason right river school second sentence several should simple small sound spell start still story table "
    "thing think those thought through together travel under until usual value water while white whole without word "
    "world write year "
)
WORDS = _TEXT.split()


def conversation_texts(seed: int, username: str, number: int) -> list[tuple[str, str]]:
    """Return (role, content) of the messages of a user's conversation."""
    draw = random.Random(f"{seed}:{username}:{number}")  # noqa: S311  # must repeat, need not be secret
    texts = []
    for _ in range(1 + number % 4):
        question = " ".join(draw.choices(WORDS, k=12)).capitalize()
        texts.append(("user", f"{question}?"))
        answer = " ".join(draw.choices(WORDS, k=40)).capitalize()
        texts.append(("assistant", f"{answer}."))
    return texts


def session_token(seed: int, username: str) -> str:
    """Return the token of the session that is signed in beforehand."""
    return hashlib.sha256(f"{seed}:session:{username}".encode()).hexdigest()[:32]


def usernames(users: int) -> Iterator[tuple[str, str]]:
    """Yield (username, role): the numbered users, then the moderator and the admin."""
    for number in range(1, users + 1):
        yield f"user{number:04d}", "user"
    yield "moderator", "moderator"
    yield "admin", "admin"


def fill(database: Database, users: int, conversations: int, seed: int) -> None:
    """Write everything in one transaction."""
    password = hash_password(PASSWORD, hashlib.sha256(f"{seed}:salt".encode()).hexdigest()[:22])
    expires_at = time.time() + SESSION_S
    message_rows = []
    conversation_id = 0
    with database.transaction() as db:
        for user_id, (username, role) in enumerate(usernames(users), 1):
            db.execute(
                "INSERT INTO users (id, username, password, role) VALUES (?, ?, ?, ?)",
                (user_id, username, password, role),
            )
            db.execute(
                "INSERT INTO sessions (user_id, expires_at, token_hash) VALUES (?, ?, ?)",
                (user_id, expires_at, hash_token(session_token(seed, username))),
            )
            for number in range(conversations):
                conversation_id += 1
                at = EPOCH_S + 3600.0 * number
                texts = conversation_texts(seed, username, number)
                db.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                    (conversation_id, user_id, f"Conversation {number + 1}", at, at + 60.0 * len(texts)),
                )
                message_rows += [(conversation_id, *text, at + 60.0 * i) for i, text in enumerate(texts)]
        db.executemany(
            "INSERT INTO messages (conversation_id, role, content, created_at) VALUES (?, ?, ?, ?)", message_rows
        )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--conversations", type=int, default=10, help="per user")
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    path: Path = settings.load().data_dir / "chat.sqlite3"
    database = Database(path)
    if database.row("SELECT id FROM users LIMIT 1") is not None:
        print(f"seed: {path} already has users: name an empty folder in DATA_DIR", file=sys.stderr)
        return 1
    fill(database, arguments.users, arguments.conversations, arguments.seed)
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
