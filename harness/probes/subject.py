"""The facts of a started target that the probes need, and the place where they run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.records import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A started target, as one who tries it reaches it; plain data, so that it can be handed to another process.

    Attributes:
        api_url: Of the API that programs use, where the page has a server of its own; None where it is ``base_url``.
        protocol: The wire protocol its users speak: ``rest``, ``streamlit``, ``openai``, or a name of its own.
        web: The files of a web part are served at the same address.
        features: What its parts state that it offers.
        rate_limit: Messages per user and minute it was started with; None where that is not tried.
        model_log: Path of the log of the model's answers; None where it is not at hand.
        streamlit_site: Folder of packages that holds the target's own Streamlit, where it has one.
    """

    target: str
    base_url: str
    protocol: str
    web: bool
    features: tuple[str, ...]
    seed: int
    rate_limit: int | None = None
    model_log: str | None = None
    streamlit_site: str | None = None
    api_url: str | None = None

    @property
    def program_url(self) -> str:
        """The address for a program: the API's, where there is one."""
        return self.api_url or self.base_url

    @property
    def log(self) -> Path | None:
        """The log of the model's answers, as a path."""
        return Path(self.model_log) if self.model_log else None


class Place(Protocol):
    """A place that reaches the subject and can run a Python module."""

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        """Run a module with these words and return the JSON list it prints.

        Raises:
            BenchError: it failed; ``purpose`` says of what.
        """
        ...


def tried_in(place: Place, purpose: str, what: str, subject: Subject) -> list[dict[str, Any]]:
    """Have ``python -m harness.probes`` try something, ``contract`` or ``audit``, in a place."""
    return place.inside(purpose, "harness.probes", [what, json.dumps(to_json(subject))])
