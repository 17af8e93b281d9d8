"""Redis: sessions that were seen, conversations as the model is sent them, and counts.

Without REDIS_URL counts are kept in this process, sessions and conversations come from the database.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import redis
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
REMEMBERED_S = 3600
REMEMBERED_BYTES = 64 * 1024  # at once; longer conversations are read from the database
COUNTED_S = 120  # of a count for one minute


class Cache:
    """What is kept beside the database; all of it has a lifetime and can be made again from the database."""

    client: redis.Redis | None = None

    def init_app(self, app: Flask) -> None:
        """Take the settings of an application."""
        self.messages = app.config["LLM_CONTEXT_MESSAGES"]
        self.counts: Counter[str] = Counter()
        url = app.config["REDIS_URL"]
        self.client = None
        if url:
            self.client = redis.Redis.from_url(
                url,
                socket_connect_timeout=1,
                socket_timeout=1,
                # Once more at once, but not after a timeout: a restarted Redis leaves dead connections in the pool.
                retry=Retry(NoBackoff(), 1, (redis.exceptions.ConnectionError,)),
            )

    def ping(self) -> None:
        """Ask Redis whether it is there.

        Raises:
            redis.exceptions.RedisError: it is not.
        """
        if self.client is not None:
            self.client.ping()

    def session(self, digest: str) -> bytes | None:
        """Return a session's data, None if it is not remembered."""
        return None if self.client is None else self.client.get(f"session:{digest}")

    def keep_session(self, digest: str, data: bytes, lifetime_s: int) -> None:
        """Remember a session."""
        if self.client is not None:
            self.client.set(f"session:{digest}", data, ex=max(1, min(lifetime_s, REMEMBERED_S)))

    def drop_session(self, digest: str) -> None:
        """Forget a session."""
        if self.client is not None:
            self.client.delete(f"session:{digest}")

    def count(self, name: str) -> int:
        """Count one more and return the count."""
        if self.client is None:
            return self._count_here(name)
        pipeline = self.client.pipeline(transaction=False)
        pipeline.incr(name)
        pipeline.expire(name, COUNTED_S)
        return int(pipeline.execute()[0])

    def counted(self, name: str) -> int:
        """Return a count."""
        return int(self.counts[name] if self.client is None else self.client.get(name) or 0)

    def count_and_recall(self, name: str, conversation_id: uuid.UUID) -> tuple[int, list[dict[str, str]] | None]:
        """Count one more; return the count and a conversation's last messages, None if they are not remembered."""
        if self.client is None:
            return self._count_here(name), None
        pipeline = self.client.pipeline(transaction=False)
        pipeline.incr(name)
        pipeline.expire(name, COUNTED_S)
        pipeline.lrange(_key(conversation_id), 0, -1)
        count, _, entries = pipeline.execute()
        return count, [orjson.loads(entry) for entry in entries] or None

    def begin_conversation(self, conversation_id: uuid.UUID, messages: Sequence[dict[str, str]]) -> None:
        """Remember a conversation by its last messages as the database has them."""
        if self.client is not None and messages and (entries := _entries(messages)):
            pipeline = self.client.pipeline()  # a transaction: nobody sees it half done
            pipeline.delete(_key(conversation_id))
            pipeline.rpush(_key(conversation_id), *entries)
            pipeline.expire(_key(conversation_id), REMEMBERED_S)
            _try(pipeline)

    def add_messages(self, conversation_id: uuid.UUID, messages: Sequence[dict[str, str]]) -> None:
        """Add messages to a conversation, if it still is remembered: half of one would be worse than none."""
        if self.client is not None:
            entries = _entries(messages)
            pipeline = self.client.pipeline(transaction=False)
            if entries:
                pipeline.rpushx(_key(conversation_id), *entries)
                pipeline.ltrim(_key(conversation_id), -self.messages, -1)
                pipeline.expire(_key(conversation_id), REMEMBERED_S)
            else:
                pipeline.delete(_key(conversation_id))
            _try(pipeline)

    def forget_conversation(self, conversation_id: uuid.UUID) -> None:
        """Drop what is remembered of a conversation."""
        if self.client is not None:
            self.client.delete(_key(conversation_id))

    def _count_here(self, name: str) -> int:
        if len(self.counts) > 10_000:  # names carry their minute: what is old is never asked for again
            self.counts.clear()
        self.counts[name] += 1
        return self.counts[name]


def _entries(messages: Sequence[dict[str, str]]) -> list[bytes]:
    """Return messages as they are stored; none if they are too long to be kept in memory."""
    entries = [orjson.dumps(message) for message in messages]
    return entries if sum(map(len, entries)) <= REMEMBERED_BYTES else []


def _try(pipeline: Any) -> None:
    """Send the commands; what is committed to the database is not undone because this fails."""
    try:
        pipeline.execute()
    except redis.exceptions.RedisError:
        log.exception("a conversation is not remembered")


def _key(conversation_id: uuid.UUID) -> str:
    return f"context:{conversation_id.hex}"
