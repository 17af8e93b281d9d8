"""Redis: counts per minute, and the conversations users are in the middle of.

Without REDIS_URL counts are kept in this process and conversations come from the database.
"""

import hashlib
import logging
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypedDict

import orjson
import redis.asyncio as redis
from fastapi import Depends, Request
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
WINDOW_S = 60
CONTEXT_MESSAGES = 20
REMEMBERED_S = 3600
REMEMBERED_BYTES = 64 * 1024  # at once; longer conversations are read from the database
CONNECTIONS = 16  # of each process
TIMEOUT_S = 1


class Said(TypedDict):
    """A message as the model is sent it."""

    role: str
    content: str


class Cache(Protocol):
    """What is kept beside the database; it can be lost without anything being wrong."""

    async def count_message(self, user_id: int, conversation_id: uuid.UUID) -> tuple[int, list[Said] | None]:
        """Count one more message; return this minute's count and the conversation's last messages if remembered."""

    async def failed_sign_ins(self, name: str) -> int:
        """Return how often signing in by this name has failed this minute."""

    async def count_failed_sign_in(self, name: str) -> None:
        """Count one more failure."""

    async def remember(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Remember a conversation by its last messages as the database has them."""

    async def add(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Add messages to a conversation if it still is remembered: half of one would be worse than none."""

    async def forget(self, conversation_id: uuid.UUID) -> None:
        """Drop what is remembered of a conversation."""

    async def ping(self) -> None:
        """Ask whether it is there.

        Raises:
            RedisError: it is not.
        """

    async def close(self) -> None:
        """Close the connections."""


def seconds_left() -> int:
    """Return how long this minute lasts."""
    return WINDOW_S - int(time.time()) % WINDOW_S


def _this_minute(name: str) -> str:
    return f"{name}:{int(time.time()) // WINDOW_S}"


def _sign_in_counter(name: str) -> str:
    # Names come from strangers: hashed, they are short and of harmless characters.
    return _this_minute(f"failed:{hashlib.sha256(name.encode()).hexdigest()[:32]}")


class RedisCache:
    """Kept in Redis, for all processes alike."""

    def __init__(self, url: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            # Once more at once, but not after a timeout: a restarted Redis leaves dead connections in the pool.
            retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
        )
        self._redis = redis.Redis.from_pool(pool)

    async def count_message(self, user_id: int, conversation_id: uuid.UUID) -> tuple[int, list[Said] | None]:
        """Do both in one round trip."""
        counter = _this_minute(f"rate:{user_id}")
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.incr(counter)
        pipeline.expire(counter, 2 * WINDOW_S)
        pipeline.lrange(_key(conversation_id), 0, -1)
        count, _, entries = await pipeline.execute()
        return count, [orjson.loads(entry) for entry in entries] or None

    async def failed_sign_ins(self, name: str) -> int:
        """Read the counter."""
        return int(await self._redis.get(_sign_in_counter(name)) or 0)

    async def count_failed_sign_in(self, name: str) -> None:
        """Add to the counter."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.incr(_sign_in_counter(name))
        pipeline.expire(_sign_in_counter(name), 2 * WINDOW_S)
        await pipeline.execute()

    async def remember(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Replace the list."""
        if entries := _entries(messages):
            pipeline = self._redis.pipeline()  # a transaction: nobody sees it half done
            pipeline.delete(_key(conversation_id))
            pipeline.rpush(_key(conversation_id), *entries)
            pipeline.expire(_key(conversation_id), REMEMBERED_S)
            await _try(pipeline)

    async def add(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Append to the list where there is one."""
        entries = _entries(messages)
        pipeline = self._redis.pipeline(transaction=False)
        if entries:
            pipeline.rpushx(_key(conversation_id), *entries)
            pipeline.ltrim(_key(conversation_id), -CONTEXT_MESSAGES, -1)
            pipeline.expire(_key(conversation_id), REMEMBERED_S)
        else:
            pipeline.delete(_key(conversation_id))
        await _try(pipeline)

    async def forget(self, conversation_id: uuid.UUID) -> None:
        """Delete the list."""
        await self._redis.delete(_key(conversation_id))

    async def ping(self) -> None:
        """Ask Redis."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the pool."""
        await self._redis.aclose(close_connection_pool=True)


class ProcessCache:
    """Counts of this process alone; remembers no conversation."""

    def __init__(self) -> None:
        self._minute = ""
        self._counts: Counter[str] = Counter()

    def _current(self) -> Counter[str]:
        if (minute := _this_minute("")) != self._minute:
            self._minute, self._counts = minute, Counter()
        return self._counts

    async def count_message(self, user_id: int, conversation_id: uuid.UUID) -> tuple[int, list[Said] | None]:
        """Count."""
        counts = self._current()
        counts[f"rate:{user_id}"] += 1
        return counts[f"rate:{user_id}"], None

    async def failed_sign_ins(self, name: str) -> int:
        """Read the counter."""
        return self._current()[_sign_in_counter(name)]

    async def count_failed_sign_in(self, name: str) -> None:
        """Add to the counter."""
        self._current()[_sign_in_counter(name)] += 1

    async def remember(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Do nothing."""

    async def add(self, conversation_id: uuid.UUID, messages: Sequence[Said]) -> None:
        """Do nothing."""

    async def forget(self, conversation_id: uuid.UUID) -> None:
        """Do nothing."""

    async def ping(self) -> None:
        """Do nothing: a process has itself."""

    async def close(self) -> None:
        """Do nothing."""


def create(url: str | None) -> Cache:
    """Return the process's cache."""
    return RedisCache(url) if url else ProcessCache()


def _entries(messages: Sequence[Said]) -> list[bytes]:
    """Return messages as they are stored; none if they are too long to be kept in memory."""
    entries = [orjson.dumps(message) for message in messages]
    return entries if sum(map(len, entries)) <= REMEMBERED_BYTES else []


async def _try(pipeline: Pipeline) -> None:
    """Send the commands; what is committed to the database is not undone because this fails."""
    try:
        await pipeline.execute()
    except RedisError:
        log.exception("a conversation is not remembered")


def _key(conversation_id: uuid.UUID) -> str:
    return f"context:{conversation_id.hex}"


async def _of_process(request: Request) -> Any:  # FastAPI would run a plain function in a thread
    return request.state.cache


Remembered = Annotated[Cache, Depends(_of_process)]
