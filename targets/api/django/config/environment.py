"""Settings from environment variables; a missing or malformed one stops the start with its name."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SQLITE_SETUP = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728;"
)


def required(name: str, example: str) -> str:
    """Return a variable that has no default.

    Raises:
        ImproperlyConfigured: it is not set.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; set it, for example {name}={example}")
    return value


def whole_number(name: str, default: int) -> int:
    """Return a positive whole number.

    Raises:
        ImproperlyConfigured: it is something else.
    """
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ImproperlyConfigured(f"{name} is {text!r}; set a whole number of at least 1, for example {default}")
    return int(text)


def database(threads: int) -> dict[str, object]:
    """Return Django's description of the database: DATABASE_URL if set, else SQLite in DATA_DIR.

    Raises:
        ImproperlyConfigured: neither is usable.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        folder = Path(required("DATA_DIR", "./data"))
        folder.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "chat.sqlite3",
            # Connections live as long as their thread: opening one costs more than a query.
            "CONN_MAX_AGE": None,
            # IMMEDIATE: two writers wait for each other; DEFERRED ones would fail on the upgrade to a write lock.
            "OPTIONS": {"timeout": 5, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_SETUP},
            # Worker threads open connections of their own, which an in-memory database would not share.
            "TEST": {"NAME": folder / "test.sqlite3"},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or len(parts.path) < 2:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://name:password@host:5432/database")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": str(parts.port or 5432),
        # Under ASGI connections must not outlive their request; psycopg's pool keeps them open instead.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **dict(parse_qsl(parts.query)),
            "connect_timeout": 5,
            "pool": {"min_size": 1, "max_size": threads + 4, "timeout": 5},
        },
    }


def caches(redis_url: str) -> dict[str, dict[str, object]]:
    """Return Django's description of the cache: Redis, or this process's memory where there is none."""
    if not redis_url:
        return {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    return {
        "default": {
            "BACKEND": "chat.cache.PooledRedisCache",
            "LOCATION": redis_url,
            "TIMEOUT": 3600,
            "KEY_PREFIX": "chat",
        }
    }
