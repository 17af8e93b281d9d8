"""Settings: from environment variables, with what they mean to Flask and its extensions."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL

PART = Path(__file__).resolve().parent.parent
MIGRATIONS = PART / "migrations"
BODY_BYTES = 2 * 1024 * 1024


class SettingError(RuntimeError):
    """A setting is missing or malformed; the text names it and says what to set."""


class Settings:
    """The environment variables, or what is given instead of them."""

    def __init__(self, given: Mapping[str, object]) -> None:
        self.given = given

    def text(self, name: str, default: str = "") -> str:
        """Return a variable; an empty one counts as not set."""
        return str(self.given.get(name) or os.environ.get(name) or default)

    def required(self, name: str, example: str) -> str:
        """Return a variable that has no default.

        Raises:
            SettingError: it is not set.
        """
        value = self.text(name)
        if not value:
            raise SettingError(f"{name} is not set; set it, for example {name}={example}")
        return value

    def number(self, name: str, default: int, least: int = 1) -> int:
        """Return a whole number.

        Raises:
            SettingError: it is something else.
        """
        text = self.text(name, str(default))
        if not text.isdecimal() or int(text) < least:
            raise SettingError(
                f"{name} is {text!r}; set a whole number of at least {least}, for example {name}={default}"
            )
        return int(text)

    def database(self) -> tuple[str | URL, dict[str, object]]:
        """Return SQLAlchemy's address and engine options: DATABASE_URL if set, else SQLite in DATA_DIR.

        Raises:
            SettingError: neither is usable.
        """
        pool: dict[str, object] = {
            "pool_size": self.number("DATABASE_CONNECTIONS", 10),
            "max_overflow": 0,
            "pool_timeout": 5,
            "pool_use_lifo": True,
        }
        url = self.text("DATABASE_URL")
        if not url:
            folder = Path(self.required("DATA_DIR", "./data")).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            # No transaction begins by itself: database.py begins them, at the first write.
            # Taken as it is: in a text of an address %, ? and # of a folder's name would be signs.
            return URL.create("sqlite", database=str(folder / "chat.sqlite3")), {
                **pool,
                "connect_args": {"timeout": 5, "isolation_level": None},
            }
        parts = urlsplit(url)
        if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or len(parts.path) < 2:
            raise SettingError("DATABASE_URL must look like postgresql://name:password@host:5432/database")
        return url.replace(parts.scheme, "postgresql+psycopg", 1), {**pool, "connect_args": {"connect_timeout": 5}}


def from_environment(given: Mapping[str, object]) -> dict[str, object]:
    """Return the application's configuration.

    Raises:
        SettingError: a setting is missing or malformed.
    """
    settings = Settings(given)
    address, engine = settings.database()
    https = settings.text("HTTPS") == "1"
    return {
        "SECRET_KEY": settings.required("SECRET_KEY", "a-long-random-text"),
        "MAX_CONTENT_LENGTH": BODY_BYTES,
        "MAX_FORM_MEMORY_SIZE": BODY_BYTES,
        "PROVIDE_AUTOMATIC_OPTIONS": False,  # OPTIONS is no operation of the contract
        "PERMANENT_SESSION_LIFETIME": timedelta(days=30),
        "SESSION_COOKIE_NAME": "sessionid",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": https,
        "CSRF_COOKIE_NAME": "csrftoken",
        "TRUSTED_ORIGINS": [origin for origin in settings.text("TRUSTED_ORIGINS").split(",") if origin],
        "WTF_CSRF_HEADERS": ["X-CSRFToken"],
        "SQLALCHEMY_DATABASE_URI": address,
        "SQLALCHEMY_ENGINE_OPTIONS": engine,
        "REDIS_URL": settings.text("REDIS_URL"),
        "LLM_BASE_URL": settings.required("LLM_BASE_URL", "http://127.0.0.1:8001/v1").rstrip("/"),
        "LLM_API_KEY": settings.text("LLM_API_KEY"),
        "LLM_MODEL": settings.text("LLM_MODEL", "stand-in"),
        "LLM_CONNECT_TIMEOUT_S": 5,
        "LLM_SILENCE_TIMEOUT_S": 60,
        "LLM_CONTEXT_MESSAGES": 20,
        "RELAY_WINDOW_S": settings.number("RELAY_WINDOW_MS", 80, least=0) / 1000,
        "RATE_LIMIT_PER_MINUTE": settings.number("RATE_LIMIT_PER_MINUTE", 60),
        "FAILED_SIGN_INS_PER_MINUTE": 10,
        "TOKEN_LIFETIME": timedelta(days=30),
        "WEB_ROOT": settings.text("WEB_ROOT"),
        "CONTRACT_FILE": settings.text("CONTRACT_FILE", str(PART.parent.parent / "openapi.yaml")),
    }
