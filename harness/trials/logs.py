"""The logs of a trial's components: whether a program says there that it reached a limit of its own process."""

from collections.abc import Iterable
from pathlib import Path

LIMITS = ("Too many open files", "EMFILE", "can't start new thread", "Cannot allocate memory", "ENOMEM")
LOOKED_AT_BYTES = 1 << 20  # from the end


def named_limit(folder: Path, components: Iterable[str]) -> str | None:
    """Return the first log in a trial's folder that names a limit, with its words; None where none does."""
    for component in components:
        log = folder / "logs" / f"{component}.log"
        text = _end_of(log) if log.is_file() else ""
        for words in LIMITS:
            if words in text:
                return f"logs/{log.name}: {words}"
    return None


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOOKED_AT_BYTES))
        return file.read().decode(errors="replace")
