"""The placeholders of a part's commands and variables, filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The programs that a part's commands may name, and the folder of PostgreSQL's where it needs that."""

    python: Path | None = None
    node: Path | None = None
    postgres: Path | None = None

    def words(self) -> dict[str, str]:
        """Return the placeholders that name them."""
        known = {"python": self.python, "bin": self.python and self.python.parent, "node": self.node}
        return {name: str(path) for name, path in known.items() if path}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with each ``{name}`` of a value replaced by it, once: what a value holds stays as it is."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


def filled_in(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Return variables with their values' placeholders filled in."""
    return {name: filled(text, values) for name, text in texts.items()}
