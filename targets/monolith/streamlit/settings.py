"""What the environment says, read once and checked."""

import functools
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where data and the model are, a user's messages per minute, and what tunes the program."""

    data_dir: Path
    llm_base_url: str
    llm_api_key: str | None
    llm_model: str
    rate_limit_per_minute: int
    hand_over_s: float  # text of the model waits so long, to reach the page in fewer pieces
    freeze_imports: bool


@functools.cache
def load() -> Settings:
    """Read the settings.

    Raises:
        ValueError: a value that cannot be used, with its variable and the remedy.
    """
    limit = os.environ.get("RATE_LIMIT_PER_MINUTE", "60")
    if not limit.isdecimal() or int(limit) == 0:
        raise ValueError(f"RATE_LIMIT_PER_MINUTE is {limit!r}: set it to a whole number above 0, for example 60")
    window = os.environ.get("RELAY_WINDOW_MS", "100")
    if not window.isdecimal() or int(window) > 100:
        raise ValueError(f"RELAY_WINDOW_MS is {window!r}: set it to a whole number from 0 to 100, for example 100")
    url = os.environ.get("LLM_BASE_URL", "http://127.0.0.1:8001/v1")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"LLM_BASE_URL is {url!r}: set it to an http(s) address, for example http://127.0.0.1:8001/v1")
    return Settings(
        data_dir=Path(os.environ.get("DATA_DIR", "data")),
        llm_base_url=url.rstrip("/"),
        llm_api_key=os.environ.get("LLM_API_KEY") or None,
        llm_model=os.environ.get("LLM_MODEL", "stand-in"),
        rate_limit_per_minute=int(limit),
        hand_over_s=int(window) / 1000,
        freeze_imports=os.environ.get("FREEZE_IMPORTS") != "0",
    )
