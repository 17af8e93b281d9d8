"""How to measure: profiles, small TOML files read strictly."""

import dataclasses
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.analysis.verdict import Slo
from harness.errors import UsageError
from harness.records import AnswerPlan, Distribution
from harness.targets import nearest, reject_unknown

FOLDER = Path(__file__).parent
LENGTHS = Path(__file__).parent / "answer_lengths"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Capacity search: where to start, how far to go, how exactly."""

    base_users: int = 10
    start_share: float = 0.7  # of the operational bound
    growth: float = 1.5
    precision: float = 0.25
    repetitions: int = 2
    highest: int = 3000
    max_trials: int = 12
    rounds: int = 0  # of the estimate with an interval, after the search; 0: the bracket alone
    further_think_s: tuple[int, ...] = ()  # median think times at which the capacity is predicted, then tested


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long the phases of a trial last, in seconds."""

    measure_min_s: float = 25.0
    measure_max_s: float = 45.0
    measure_turns: int = 100
    drain_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Memory per session: open sessions at each step and how long each is watched."""

    steps: tuple[int, ...] = (0, 50, 100, 150)
    hold_s: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Arrivals that do not wait: a trial at the same rate for every target, and trials at shares of its own capacity.

    The second kind takes so many percent of the turns that the users carried (the bracket's lower end) would send to a
    target that adds nothing: users / (answer + think time).
    """

    per_minute: int = 60
    percent: tuple[int, ...] = (70,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A share of the users carried, then several times as many within a second, who leave again."""

    percent: int = 50
    times: int = 4
    before_s: float = 15.0
    hold_s: float = 20.0
    after_s: float = 45.0
    window_s: float = 10.0  # the objective is met again when every window of this length from then on meets it


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """A long hold at a share of the users carried; its slopes rest on means over blocks."""

    percent: int = 70
    minutes: float = 20.0
    block_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """Whole visits, from the page's first byte to leaving: so many people at a time, again and again."""

    users: int = 2
    measure_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything a campaign needs to know besides its targets."""

    name: str
    purpose: str
    think_s: Distribution
    answer: AnswerPlan
    turns_per_conversation: int = 4
    message_chars: int = 80
    window: Window = field(default_factory=Window)
    search: Search = field(default_factory=Search)
    idle: Idle | None = field(default_factory=Idle)
    visit: Visiting | None = None
    open: Open | None = None
    spike: Spike | None = None
    soak: Soak | None = None
    audit: bool = False  # a trial that tries what is not load: integration, security
    swap: bool = False  # after the trials: every API with every web part, in a browser
    slo: Slo = field(default_factory=Slo)
    seed: int = 42

    def think_mean_s(self) -> float:
        """Return the mean think time."""
        return self.think_s.mean()

    def answer_mean_s(self) -> float:
        """Return the mean length of an answer as the upstream sends it."""
        return self.answer.ttft_s.mean() + self.answer.tokens_mean() * self.answer.itl_s

    def cycle_s(self) -> float:
        """Return the length of a turn and its think time on an unloaded target."""
        return self.answer_mean_s() + self.think_mean_s()

    def thinking(self, median_s: float) -> "Profile":
        """Return this profile with another median think time of the same spread."""
        return dataclasses.replace(self, think_s=dataclasses.replace(self.think_s, median=median_s))


def think_scenario(think_s: int) -> str:
    """Return the name of the chat scenario at another median think time, such as ``think-15``."""
    return f"think-{think_s}"


def open_scenario(percent: int) -> str:
    """Return the name of the scenario of arrivals at a share of a target's own capacity, such as ``open-70``."""
    return f"open-{percent}"


def names() -> list[str]:
    """Return the profiles that come with chatbench."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Profile:
    """Return a profile by name, or from a TOML file by path.

    Raises:
        UsageError: unknown profile or key (names the file and the nearest valid one), or a value of the wrong kind.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError:
        raise UsageError(f"unknown profile {name!r}: no {path.name} in {path.parent}", nearest(name, names())) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "mend the TOML at that place") from error
    profile: Profile = _read(Profile, {"name": path.stem} | table, str(path))
    _check(profile, path)
    return profile


def _read(cls: type, table: Any, where: str) -> Any:
    if cls is Distribution and isinstance(table, int | float) and not isinstance(table, bool):
        table = {"median": table}
    if not isinstance(table, dict):
        raise UsageError(f"{where} is {table!r}", "write a table")
    if cls is AnswerPlan and "lengths" in table:
        table = _with_lengths(table, where)
    hints = typing.get_type_hints(cls)
    reject_unknown(table, hints, where)
    for f in dataclasses.fields(cls):
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and f.name not in table:
            raise UsageError(f"{where}: {f.name} is missing", f"add {f.name}")
    return cls(**{key: _value(hints[key], value, f"{where}: {key}") for key, value in table.items()})


def _with_lengths(table: dict[str, Any], where: str) -> dict[str, Any]:
    """Return an answer's table with the quantiles that ``lengths`` names in the place of ``tokens``."""
    known = sorted(path.stem for path in LENGTHS.glob("*.toml"))
    name = table["lengths"]
    if name not in known:
        raise UsageError(f"{where}: lengths is {name!r}", nearest(str(name), known))
    if "tokens" in table or "tokens_quantiles" in table:
        raise UsageError(f"{where}: both lengths and tokens are stated", "leave one of them out")
    quantiles = tomllib.loads((LENGTHS / f"{name}.toml").read_text(encoding="utf-8"))["quantiles"]
    rest = {key: value for key, value in table.items() if key != "lengths"}
    return rest | {"tokens": quantiles[len(quantiles) // 2], "tokens_quantiles": quantiles}


def _value(hint: Any, value: Any, where: str) -> Any:
    if typing.get_origin(hint) is tuple:
        good = isinstance(value, list) and all(isinstance(v, int) and v >= 0 for v in value) and value == sorted(value)
        if not good:
            raise UsageError(f"{where} is {value!r}", "write ascending whole numbers from 0 on")
        return tuple(value)
    options = [a for a in typing.get_args(hint) if a is not type(None)]
    if options:
        if value is False:
            return None
        hint = options[0]
    if dataclasses.is_dataclass(hint):
        return _read(typing.cast(type, hint), value, where)
    if hint is str:
        good, expected = isinstance(value, str), "a text"
    elif hint is bool:
        good, expected = isinstance(value, bool), "true or false"
    else:
        number = isinstance(value, int) or (hint is float and isinstance(value, float))
        good = number and not isinstance(value, bool) and 0 <= value < 1e9
        expected = "a whole number from 0 on" if hint is int else "a number from 0 on"
    if not good:
        raise UsageError(f"{where} is {value!r}", f"write {expected}")
    return float(value) if hint is float else value


def _check(profile: Profile, path: Path) -> None:
    search, window, lengths = profile.search, profile.window, profile.answer.tokens_quantiles
    rules = [
        (profile.answer.tokens.median >= 2, "answer.tokens: at least 2 (the nonce and the end marker)"),
        (
            not lengths or (len(lengths) > 1 and lengths[0] >= 2),
            "answer.tokens_quantiles: none, or two and more from 2 on (the nonce and the end marker)",
        ),
        (profile.turns_per_conversation >= 1, "turns_per_conversation: at least 1"),
        (profile.think_s.median > 0, "think_s: above 0"),
        (search.growth > 1, "search.growth: above 1"),
        (search.precision > 0, "search.precision: above 0"),
        (1 <= search.base_users <= search.highest, "search.base_users: from 1 to search.highest"),
        (search.rounds != 1, "search.rounds: 0, or at least 2 for an interval"),
        (all(think_s > 0 for think_s in search.further_think_s), "search.further_think_s: above 0"),
        (search.repetitions >= 1 and search.max_trials >= 1, "search.repetitions and search.max_trials: at least 1"),
        (0 < window.measure_min_s <= window.measure_max_s, "window.measure_min_s: above 0, at most measure_max_s"),
    ]
    if profile.open:
        rules += [
            (profile.open.per_minute >= 1, "open.per_minute: at least 1"),
            (all(p > 0 for p in profile.open.percent), "open.percent: above 0"),
        ]
    if visit := profile.visit:
        rules += [(visit.users >= 1 and visit.measure_s > 0, "visit.users: at least 1; visit.measure_s: above 0")]
    if spike := profile.spike:
        rules += [
            (spike.percent >= 1 and spike.times >= 2, "spike.percent: at least 1; spike.times: at least 2"),
            (0 < spike.window_s <= spike.after_s and spike.hold_s > 0, "spike.window_s: above 0, at most after_s"),
        ]
    if soak := profile.soak:
        rules += [
            (soak.percent >= 1, "soak.percent: at least 1"),
            (soak.block_s > 0 and soak.minutes * 60 >= 5 * soak.block_s, "soak.block_s: at most a fifth of minutes"),
        ]
    for good, rule in rules:
        if not good:
            raise UsageError(f"{path}: a value is out of range", rule)
