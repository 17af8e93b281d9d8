"""The doctor's findings."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One finding: what was seen and, unless it is fine, what to do."""

    name: str
    state: State
    what: str
    remedy: str = ""
    command: str = ""  # a whole line to type, which no table may break
