"""Settings from environment variables; a missing or malformed one stops the start with its name."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

EXAMPLES = {"SECRET_KEY": "a-long-random-text", "LLM_BASE_URL": "http://127.0.0.1:8001/v1"}
SECONDS_PER_DAY = 24 * 3600


class Settings(BaseSettings):
    """What differs between machines; the names of the variables are those of the fields, in capitals."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    secret_key: SecretStr
    llm_base_url: Annotated[str, Field(pattern=r"^https?://")]
    llm_api_key: SecretStr | None = None
    llm_model: str = "stand-in"
    llm_connect_timeout_s: float = 5
    llm_silence_timeout_s: float = 60
    data_dir: Path | None = None
    database_url: str | None = None
    database_connections: Annotated[int, Field(ge=1)] | None = None  # of each process
    redis_url: str | None = None
    web_root: Path | None = None
    rate_limit_per_minute: Annotated[int, Field(ge=1)] = 60
    failed_sign_ins_per_minute: int = 10
    seed: int = 42
    relay_window_ms: Annotated[int, Field(ge=0, le=100)] = 80
    freeze_imports: bool = True
    https: bool = False  # cookies are sent over TLS only
    trusted_origins: str = ""  # other addresses the page is served from, separated by commas
    session_seconds: int = 30 * SECONDS_PER_DAY

    @model_validator(mode="after")
    def _has_a_database(self) -> Self:
        if self.database_url is None and self.data_dir is None:
            raise ValueError("DATA_DIR is not set; set it, for example DATA_DIR=./data, or set DATABASE_URL")
        if self.database_url is not None:
            self.database()
        return self

    def database(self) -> URL:
        """Return where the database is, as SQLAlchemy names it.

        Raises:
            ValueError: DATABASE_URL is none of PostgreSQL.
        """
        if self.database_url is None:
            folder = self.data_dir or Path()
            folder.mkdir(parents=True, exist_ok=True)
            return URL.create("sqlite+aiosqlite", database=str(folder / "chat.sqlite3"))
        try:
            url = make_url(self.database_url)
        except ArgumentError:
            url = URL.create("none")
        if url.drivername not in ("postgres", "postgresql") or not url.host or not url.database:
            raise ValueError("DATABASE_URL must look like postgresql://name:password@host:5432/database")
        return url.set(drivername="postgresql+psycopg")


def from_environment() -> Settings:
    """Return the settings of this process.

    Raises:
        SystemExit: one is missing or malformed; the message names it and what to set.
    """
    try:
        return Settings()
    except ValidationError as exc:
        raise SystemExit("\n".join(_in_words(error) for error in exc.errors())) from None


def _in_words(error: Mapping[str, Any]) -> str:
    if not error["loc"]:
        return str(error["ctx"]["error"])
    name = str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return f"{name} is not set; set it, for example {name}={EXAMPLES[name]}"
    return f"{name} is {os.environ.get(name)!r}: {error['msg']}"
