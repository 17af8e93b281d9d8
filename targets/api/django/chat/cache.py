"""Redis beside Django's cache: counting messages and remembering conversations in one round trip.

Without REDIS_URL counts are rows (chat/counters.py) and conversations come from the database.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
import redis
from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat import counters

log = logging.getLogger(__name__)
REMEMBERED_S = 3600
COUNTED_S = 120
REMEMBERED_BYTES = 64 * 1024  # at once; longer conversations are read from the database


def _pool() -> redis.ConnectionPool | None:
    if not settings.REDIS_URL:
        return None
    return redis.ConnectionPool.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=1,
        socket_timeout=1,
        # Once more at once, but not after a timeout: a restarted Redis leaves dead connections in the pool.
        retry=Retry(NoBackoff(), 1, (redis.exceptions.ConnectionError,)),
    )


pool = _pool()  # of this process
client = redis.Redis(connection_pool=pool) if pool else None


class PooledClient(RedisCacheClient):
    """Django's client on the process's pool."""

    def _get_connection_pool(self, write: bool) -> redis.ConnectionPool:
        return pool


class PooledRedisCache(RedisCache):
    """Django's Redis cache; under ASGI Django makes one per request, and each would open connections of its own."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = PooledClient


def count(counter: str, minute: int) -> int:
    """Count one more in this minute and return how many there were."""
    if client is None:
        return counters.count(counter, minute)
    pipeline = client.pipeline(transaction=False)
    _count(pipeline, counter, minute)
    return int(pipeline.execute()[0])


def counted(counter: str, minute: int) -> int:
    """Return how many were counted in this minute."""
    return counters.counted(counter, minute) if client is None else int(client.get(f"{counter}:{minute}") or 0)


def count_and_recall(counter: str, minute: int, conversation_id: uuid.UUID) -> tuple[int, list[dict[str, Any]] | None]:
    """Count one more message; return the count and the conversation's last messages, None if not remembered."""
    if client is None:
        return counters.count(counter, minute), None
    pipeline = client.pipeline(transaction=False)
    _count(pipeline, counter, minute)
    pipeline.lrange(_key(conversation_id), 0, -1)
    count, _, entries = pipeline.execute()
    return count, [orjson.loads(entry) for entry in entries] or None


def begin(conversation_id: uuid.UUID, messages: Sequence[dict[str, Any]]) -> None:
    """Remember a conversation by its last messages as the database has them."""
    if client is not None and messages and (entries := _entries(messages)):
        pipeline = client.pipeline()  # a transaction: nobody sees it half done
        pipeline.delete(_key(conversation_id))
        pipeline.rpush(_key(conversation_id), *entries)
        pipeline.expire(_key(conversation_id), REMEMBERED_S)
        _try(pipeline)


def add(conversation_id: uuid.UUID, messages: Sequence[dict[str, Any]]) -> None:
    """Add messages to a conversation, if it still is remembered: half of one would be worse than none."""
    if client is not None:
        entries = _entries(messages)
        pipeline = client.pipeline(transaction=False)
        if entries:
            pipeline.rpushx(_key(conversation_id), *entries)
            pipeline.ltrim(_key(conversation_id), -settings.LLM_CONTEXT_MESSAGES, -1)
            pipeline.expire(_key(conversation_id), REMEMBERED_S)
        else:
            pipeline.delete(_key(conversation_id))
        _try(pipeline)


def forget(conversation_id: uuid.UUID) -> None:
    """Drop what is remembered of a conversation."""
    if client is not None:
        client.delete(_key(conversation_id))


def ping() -> None:
    """Ask Redis whether it is there.

    Raises:
        redis.exceptions.RedisError: it is not.
    """
    if client is not None:
        client.ping()


def _count(pipeline: redis.client.Pipeline, counter: str, minute: int) -> None:
    """Add a count; it outlives its minute, in which clocks may differ."""
    pipeline.incr(f"{counter}:{minute}")
    pipeline.expire(f"{counter}:{minute}", COUNTED_S)


def _entries(messages: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return messages as they are stored; none if they are too long to be kept in memory."""
    entries = [orjson.dumps(message) for message in messages]
    return entries if sum(map(len, entries)) <= REMEMBERED_BYTES else []


def _try(pipeline: redis.client.Pipeline) -> None:
    """Send the commands; what is committed to the database is not undone because this fails."""
    try:
        pipeline.execute()
    except redis.exceptions.RedisError:
        log.exception("a conversation is not remembered")


def _key(conversation_id: uuid.UUID) -> str:
    return f"context:{conversation_id.hex}"
