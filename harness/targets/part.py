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
ADDRESS_PATH = re.compile(r"(/[\w.~-]+)+", re.ASCII)
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # of a part: it names folders and components


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The start of a part without containers.

    Commands and values of ``env`` may hold {python} {bin} {node} {port} {data} {llm} {postgres} {redis} {web} {api}
    {secret} {seed}; {bin} is the folder of the environment's programs.
    """

    requirements: str | None = None  # a file that pip reads, by its path in the part's folder
    venv: str | None = None  # a ready virtual environment instead, by its path
    prepare: tuple[tuple[str, ...], ...] = ()
    start: tuple[str, ...] = ()
    path: str = ""  # of the chatbot below its address, such as /chat; ``ready`` is below it
    ready: str = "/"
    ready_within_s: float = 60.0
    needs: tuple[Service, ...] = ()
    instances: int = 1
    python_processes: int | None = None  # of one instance; None: 1 with a Python environment, else 0
    build: str | None = None
    dist: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def interpreters(self) -> int:
        """The number of Python processes of one instance."""
        if self.python_processes is not None:
            return self.python_processes
        return 1 if self.requirements or self.venv else 0

    @property
    def runs_python(self) -> bool:
        """Tell if the start uses the Python environment: its interpreter, or a program that came with a package."""
        return self.holds("{python}") or self.holds("{bin}")

    @property
    def uses_python(self) -> bool:
        """Tell if the start or a command that prepares data uses the Python environment."""
        words = [word for command in self.prepare for word in command]
        return self.runs_python or any("{python}" in word or "{bin}" in word for word in words)

    def holds(self, placeholder: str) -> bool:
        """Tell if a placeholder such as ``{port}`` stands in the start command or in a value of ``env``."""
        return any(placeholder in text for text in (*self.start, *self.env.values()))


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
    package: str | None = None  # the distribution or npm package whose version the report names
    version: str | tuple[str, ...] | None = None  # the version itself, or a command that prints it
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
    if changes.keys() & {"requirements", "venv"}:  # the other one is then not meant
        changes = {"requirements": None, "venv": None} | changes
    local = dataclasses.replace(part.local, **changes)
    title = change.title or f"{part.title} ({variant})"
    edition = variant if local.requirements != part.local.requirements else ""
    return dataclasses.replace(
        part,
        local=local,
        title=title,
        processes=change.processes or part.processes,
        edition=edition,
        only_local=local.venv is not None or (not edition and not set(changes) <= {"instances", "ready_within_s"}),
    )


def local_changes(file: Path, name: str, variant: Variant) -> dict[str, Any]:
    """Return the fields of ``Local`` that a variant states; raises UsageError for one that is unknown or wrong."""
    where = f"{file}: variants.{name}.local"
    changes = read_changes(Local, variant.local, where)
    check_local(changes, f"{where}: ")
    return changes


def check_local(values: Mapping[str, Any], place: str) -> None:
    """Raise UsageError for a value of ``Local`` that its type takes and no start can; ``place`` begins the message."""
    for name, kind in (("instances", "a whole number"), ("ready_within_s", "a number")):
        if (value := values.get(name, 1)) < 1:
            raise UsageError(f"{place}{name} is {value!r}", f"write {kind} from 1 on")
    path = values.get("path", "")
    if path and not ADDRESS_PATH.fullmatch(path):
        raise UsageError(f"{place}path is {path!r}", "write a path such as /chat, without a slash at its end")
    ready = values.get("ready", "/")
    if not ready.startswith("/"):
        raise UsageError(f"{place}ready is {ready!r}", "write a path such as /health")
    for index, command in enumerate(values.get("prepare", ())):
        if not command:
            raise UsageError(f"{place}prepare[{index}] is []", "write a command, a list of texts")
    if values.get("requirements") and values.get("venv"):
        raise UsageError(f"{place}venv stands beside requirements", "leave one of them out")
