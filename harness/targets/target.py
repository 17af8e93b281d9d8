"""What can be measured: parts read from their ``part.toml``, targets put together from parts."""

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from harness.errors import UsageError

Kind = Literal["monolith", "api", "web", "upstream", "direct"]  # direct: no application, users talk to the upstream
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
PROTOCOLS = ("rest", "forms", "streamlit", "openai")  # those whose users are ours; any other one needs a user class
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")  # of a part: it names folders and components


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """How a part starts without containers.

    Commands may hold {python} {port} {data} {llm} {redis} {web} {api} {secret} {seed}.
    """

    requirements: str | None = None
    prepare: tuple[tuple[str, ...], ...] = ()
    start: tuple[str, ...] = ()
    ready: str = "/"
    needs: tuple[str, ...] = ()
    instances: int = 1
    python_processes: int = 1
    build: str | None = None
    dist: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A part's own tests, run in its folder; the command may hold {python}."""

    command: tuple[str, ...]
    passed: str  # a regular expression; its one group is the number of tests that passed, in what the command prints
    at_least: int  # a suite that shrinks below it has lost something
    requirements: str | None = None  # of its environment, where that of the part does not do


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece a target is made of; ``part.toml``."""

    name: str
    kind: Kind
    title: str
    folder: Path
    package: str | None = None
    protocol: str | None = None
    user_class: str | None = None  # "user.py:Name", the file being the part's own
    control: bool = False  # for telling causes apart: never one of the article's two columns
    features: tuple[str, ...] = ()
    model: str = ""
    local: Local = field(default_factory=Local)
    tests: Suite | None = None
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    edition: str = ""  # the variant's name where it has requirements, and so environment, image and data, of its own

    @property
    def editions(self) -> tuple[str, ...]:
        """Its variants that have requirements of their own: other versions of what it is made with."""
        return tuple(name for name in self.variants if varied(self, name).edition)

    @property
    def image_name(self) -> str:
        """What its container image is called after its kind."""
        return f"{self.name}-{self.edition}" if self.edition else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One chatbot as started: a monolith, or an api with a web part."""

    name: str
    parts: tuple[Part, ...]

    @property
    def backend(self) -> Part:
        """The part that keeps users, conversations and messages: the monolith, or the API."""
        return self.parts[0]

    @property
    def web(self) -> Part | None:
        """The web part, None for a monolith."""
        return self.parts[1] if len(self.parts) > 1 else None

    @property
    def servers(self) -> tuple[Part, ...]:
        """The parts that are programs of their own, in the order of their start; built files are served by another."""
        return () if self.direct else (self.backend, *(part for part in self.parts[1:] if part.local.start))

    @property
    def server(self) -> Part:
        """The part that answers the load."""
        return (self.backend, *self.servers)[-1]

    @property
    def kind(self) -> str:
        """``monolith``, ``modular`` (browsers ask the API), ``hybrid`` (a server between them does) or ``control``."""
        if self.backend.control or self.direct:
            return "control"
        if self.web is None:
            return "monolith"
        return "modular" if self.server is self.backend else "hybrid"

    @property
    def direct(self) -> bool:
        """Whether there is no application: nothing of the target's own is started."""
        return self.backend.kind == "direct"

    @property
    def instances(self) -> int:
        """How many times its server is started."""
        return 0 if self.direct else self.server.local.instances

    @property
    def title(self) -> str:
        """The parts' titles joined."""
        return " + ".join(part.title for part in self.parts)

    @property
    def protocol(self) -> str:
        """The wire protocol its users speak: the web part's if it declares one, else the backend's."""
        return self._speaks.protocol or "rest"

    @property
    def user_class(self) -> str | None:
        """The class that speaks it, as ``/absolute/user.py:Name``; None where it is one of ours."""
        part = self._speaks
        return f"{part.folder / part.user_class}" if part.user_class else None

    @property
    def features(self) -> tuple[str, ...]:
        """What its parts together have."""
        return tuple(sorted({feature for part in self.parts for feature in part.features}))

    @property
    def _speaks(self) -> Part:
        web = self.web
        return web if web and web.protocol else self.backend

    @property
    def model(self) -> str:
        """The processes and threads of its programs."""
        parts = self.servers or self.parts
        return parts[0].model if len(parts) == 1 else "; ".join(f"{part.title}: {part.model}" for part in parts)

    @property
    def python_processes(self) -> int:
        """Python processes (each with a lock of its own) of all programs and instances together."""
        return sum(part.local.instances * part.local.python_processes for part in self.servers)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest of the known words, or all of them where none is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(choices) or 'none'}"


def reject_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raise UsageError for the first key of a table that is not known, naming the nearest one that is."""
    names = list(known)
    for key in table:
        if key not in names:
            raise UsageError(f"{where}: unknown key {key!r}", nearest(key, names))


_SIMPLE: Mapping[Any, str] = {int: "int", bool: "bool"}


def _typed(cls: type, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Check a table against a dataclass's fields: known keys, and values of the fields' plain types."""
    hints = {f.name: f for f in dataclasses.fields(cls)}
    reject_unknown(table, [name for name in hints if name not in ("folder", "edition")], where)
    values: dict[str, Any] = {}
    for key, value in table.items():
        hint = hints[key].type
        values[key] = _plain(value, _SIMPLE.get(hint, str(hint)), f"{where}: {key}")
    return values


def _plain(value: Any, hint: str, where: str) -> Any:
    if "tuple[tuple" in hint:
        good = isinstance(value, list) and all(
            isinstance(c, list) and c and all(isinstance(w, str) for w in c) for c in value
        )
        expected = "a list of commands, each a list of words"
        result: Any = tuple(tuple(c) for c in value) if good else None
    elif "tuple[str" in hint:
        good = isinstance(value, list) and all(isinstance(w, str) for w in value)
        expected = "a list of words"
        result = tuple(value) if good else None
    elif hint == "int":
        good, expected, result = isinstance(value, int) and not isinstance(value, bool), "a whole number", value
        good = good and value >= 1
    elif hint == "bool":
        good, expected, result = isinstance(value, bool), "true or false", value
    elif "Mapping" in hint:
        good = isinstance(value, dict) and ("Any" in hint or all(isinstance(v, str) for v in value.values()))
        expected, result = "a table of texts", value
    else:
        good, expected, result = isinstance(value, str), "a text", value
    if not good:
        raise UsageError(f"{where} is {value!r}", f"write {expected}")
    return result


def read_part(folder: Path) -> Part:
    """Read a part's ``part.toml``, strictly.

    Raises:
        UsageError: an unknown key or a value of the wrong kind, with the file and the nearest valid key.
    """
    path = folder / "part.toml"
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "a part is a folder with a part.toml") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "mend the TOML at that place") from error
    tables = {name: table.pop(name, {}) for name in ("local", "tests")}
    for name, found in tables.items():
        if not isinstance(found, dict):
            raise UsageError(f"{path}: {name} is {found!r}", f"write a table [{name}]")
    values = _typed(Part, table, str(path))
    _check_part(values, path)
    values["local"] = Local(**_typed(Local, tables["local"], f"{path}: local"))
    values["tests"] = _suite(tables["tests"], f"{path}: tests") if tables["tests"] else None
    return Part(folder=folder, **values)


def _suite(table: Mapping[str, Any], where: str) -> Suite:
    values = _typed(Suite, table, where)
    for key in ("command", "passed", "at_least"):
        if not values.get(key):
            raise UsageError(f"{where}: {key} is missing", f"add {key} to the table [tests]")
    try:
        groups = re.compile(values["passed"]).groups
    except re.error as error:
        raise UsageError(f"{where}: passed is {values['passed']!r}: {error}", "write a regular expression") from error
    if groups != 1:
        raise UsageError(f"{where}: passed is {values['passed']!r}", r"give it one group: Ran (\d+) tests")
    return Suite(**values)


def _check_part(values: Mapping[str, Any], path: Path) -> None:
    for key in ("name", "kind", "title"):
        if key not in values:
            raise UsageError(f"{path}: {key} is missing", f'add {key} = "…"')
    if values["kind"] not in get_args(Kind):
        raise UsageError(f"{path}: kind is {values['kind']!r}", nearest(values["kind"], get_args(Kind)))
    if not NAME.fullmatch(values["name"]):
        raise UsageError(f"{path}: name is {values['name']!r}", "use small letters, digits and hyphens")
    _check_protocol(values, path)
    for feature in values.get("features", ()):
        if feature not in FEATURES:
            raise UsageError(f"{path}: unknown feature {feature!r}", nearest(feature, FEATURES))
    for name, variant in values.get("variants", {}).items():
        where = f"{path}: variants.{name}"
        if not isinstance(variant, dict) or set(variant) - {"local", "title", "model"}:
            raise UsageError(f"{where} is {variant!r}", "a variant has the keys local, title, model")
        _typed(Local, variant.get("local", {}), f"{where}.local")


def _check_protocol(values: Mapping[str, Any], path: Path) -> None:
    protocol, user_class = values.get("protocol"), values.get("user_class")
    if user_class is None:
        if protocol is not None and protocol not in PROTOCOLS and values["kind"] != "upstream":
            hint = f'{nearest(protocol, PROTOCOLS)}; one of your own needs user_class = "user.py:Name"'
            raise UsageError(f"{path}: protocol is {protocol!r}", hint)
        return
    file, _, name = user_class.rpartition(":")
    if not (file.endswith(".py") and name.isidentifier()):
        raise UsageError(
            f"{path}: user_class is {user_class!r}", 'write "user.py:Name", Name being a class in that file'
        )
    if not (path.parent / file).is_file():
        raise UsageError(f"{path}: user_class names {file!r}, which does not exist", f"add it to {path.parent}")
    if protocol is None or protocol in PROTOCOLS:
        hint = 'name what your user class speaks, as in protocol = "mine"; or leave user_class out'
        raise UsageError(f"{path}: user_class comes with protocol {protocol!r}, which has users of its own", hint)


def varied(part: Part, variant: str) -> Part:
    """Return a part with one of its variants applied; raises UsageError for an unknown variant."""
    if variant not in part.variants:
        where = part.folder / "part.toml"
        raise UsageError(f"{where}: {part.name} has no variant {variant!r}", nearest(variant, part.variants))
    change = part.variants[variant]
    local = dataclasses.replace(
        part.local, **_typed(Local, change.get("local", {}), f"{part.folder}: variants.{variant}")
    )
    title = change.get("title", f"{part.title} ({variant})")
    edition = variant if local.requirements != part.local.requirements else ""
    return dataclasses.replace(part, local=local, title=title, model=change.get("model", part.model), edition=edition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All parts found below a folder."""

    parts: Mapping[tuple[Kind, str], Part]

    def of_kind(self, *kinds: Kind) -> list[Part]:
        """Return the parts of these kinds by name."""
        return sorted((part for part in self.parts.values() if part.kind in kinds), key=lambda part: part.name)

    @property
    def upstream(self) -> Part:
        """The stand-in language model."""
        return self.of_kind("upstream")[0]

    def names(self) -> list[str]:
        """Return every target that can be put together, variants included."""
        names = []
        for part in self.of_kind("monolith"):
            names += [part.name, *(f"{part.name}:{variant}" for variant in part.variants)]
        for api in self.of_kind("api"):
            names += [f"{api.name}+{web.name}" for web in self.of_kind("web")]
        return names + [part.name for part in self.of_kind("direct")]

    def covering(self) -> list[str]:
        """Return targets in which every part and every variant takes part: monoliths, and no more pairs than needed."""
        # front ends that browsers run come first, so that each API serves one
        webs = sorted(self.of_kind("web"), key=lambda part: part.protocol is not None)
        apis = self.of_kind("api")
        pairs = range(max(len(apis), len(webs)) if apis and webs else 0)
        alone = [name for name in self.names() if "+" not in name]
        return alone + [f"{apis[n % len(apis)].name}+{webs[n % len(webs)].name}" for n in pairs]

    def target(self, name: str) -> Target:
        """Return a target by name (``streamlit``, ``streamlit:2``, ``django+angular``, or a part's folder).

        Raises:
            UsageError: no such part or variant, or parts that do not make a target; names the nearest one.
        """
        words = name.split("+")
        wanted: list[Kind] = ["monolith"] if len(words) == 1 else ["api", "web"]
        parts = tuple(self._part(word, wanted[min(n, len(wanted) - 1)], name) for n, word in enumerate(words))
        kinds = tuple(part.kind for part in parts)
        # a monolith that speaks the REST contract can have another page put in front of it
        another_page = kinds == ("monolith", "web") and parts[0].protocol == "rest"
        if kinds not in (("monolith",), ("api", "web"), ("direct",)) and not another_page:
            raise UsageError(
                f"{name!r} is put together from {' + '.join(kinds)}",
                "a target is a monolith, or an api and a web part: " + ", ".join(self.names()),
            )
        return Target(name=name, parts=parts)

    def _part(self, word: str, kind: Kind, target: str) -> Part:
        """Return the part of this kind; one name may be taken by a part of each kind."""
        name, _, variant = word.partition(":")
        named = sorted((part for part in self.parts.values() if part.name == name), key=lambda part: part.kind != kind)
        if "/" in name:
            part = read_part(Path(name).resolve())
        elif named:
            part = named[0]
        else:
            folder = f"for the folder of that name write ./{name}; " if Path(name, "part.toml").is_file() else ""
            raise UsageError(
                f"unknown target {target!r}: no part {name!r} below targets/", folder + nearest(target, self.names())
            )
        return varied(part, variant) if variant else part


def discover(root: Path) -> Catalogue:
    """Read every part below ``root`` (the folder ``targets``).

    Raises:
        UsageError: a damaged part, or two parts of one kind and name.
    """
    parts: dict[tuple[Kind, str], Part] = {}
    for path in sorted([*root.glob("*/part.toml"), *root.glob("*/*/part.toml")]):
        part = read_part(path.parent)
        taken = parts.setdefault((part.kind, part.name), part)
        if taken is not part:
            raise UsageError(f"{path}: the name {part.name!r} is taken by {taken.folder}", "rename one")
    return Catalogue(parts=parts)
