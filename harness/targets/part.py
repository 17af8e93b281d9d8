"""A part of a target, as its part.toml states it."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.errors import UsageError
from harness.targets.strict import nearest, read_changes

Service = Literal["postgres", "redis"]  # what a part may need beside itself
Kind = Literal["monolith", "api", "web", "model", "no_app"]  # no_app: no application, users talk to the model
FEATURES = (
    "sign-in",
    "conversations",
    "streaming",
    "markdown",
    "history",
    "search",
    "rename",
    "delete",
    "export",
    "feedback",
    "moderation",
    "admin",
    "rate-limit",
    "api",
)
PROTOCOLS = (
    "rest",
    "forms",
    "streamlit",
    "openai",
)  # those with a user class in loadtests
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # of a part: it names folders and components


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The start of a part without containers.

    Commands may hold {python} {port} {data} {llm} {postgres} {redis} {web} {api} {secret} {seed}.
    """

    requirements: str | None = None
    prepare: tuple[tuple[str, ...], ...] = ()
    start: tuple[str, ...] = ()
    ready: str = "/"
    needs: tuple[Service, ...] = ()
    instances: int = 1
    python_processes: int = 1
    build: str | None = None
    dist: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A part's own tests, run in its folder; the command may hold {python}."""

    command: tuple[str, ...]
    passed: str  # a regular expression for the output; its one group is the number of tests that passed
    at_least: int  # a smaller suite has lost tests
    requirements: str | None = None  # of its own environment; None: that of the part


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another way to start a part: the keys of ``Local`` that differ, and the part's other title."""

    local: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None
    processes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a target; ``part.toml``."""

    name: str
    kind: Kind
    title: str
    folder: Path
    package: str | None = None
    protocol: str | None = None
    user_class: str | None = None  # "user.py:Name", the file being the part's own
    control: bool = False  # for comparison: never one of the article's two columns
    features: tuple[str, ...] = ()
    processes: str = ""  # processes and threads, in words
    local: Local = field(default_factory=Local)
    tests: Suite | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    edition: str = ""  # name of a variant with its own requirements, and so its own environment, image and data
    only_local: bool = False  # a variant that starts in another way: no image holds that

    @property
    def editions(self) -> tuple[str, ...]:
        """The names of its variants with their own requirements: other versions of its packages."""
        return tuple(name for name in self.variants if varied(self, name).edition)

    @property
    def image_name(self) -> str:
        """The name of its container image, after the kind."""
        return f"{self.name}-{self.edition}" if self.edition else self.name


def varied(part: Part, variant: str) -> Part:
    """Return a part with one of its variants applied; raises UsageError for an unknown variant."""
    if variant not in part.variants:
        where = part.folder / "part.toml"
        raise UsageError(f"{where}: {part.name} has no variant {variant!r}", nearest(variant, part.variants))
    change = part.variants[variant]
    changes = local_changes(part.folder / "part.toml", variant, change)
    local = dataclasses.replace(part.local, **changes)
    title = change.title or f"{part.title} ({variant})"
    edition = variant if local.requirements != part.local.requirements else ""
    return dataclasses.replace(
        part,
        local=local,
        title=title,
        processes=change.processes or part.processes,
        edition=edition,
        only_local=not edition and not set(changes) <= {"instances"},
    )


def local_changes(file: Path, name: str, variant: Variant) -> dict[str, Any]:
    """Return the fields of ``Local`` that a variant states; raises UsageError for one that is unknown or wrong."""
    return read_changes(Local, variant.local, f"{file}: variants.{name}.local", least=1)
