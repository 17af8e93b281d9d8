"""Profiles: small TOML files that say how to measure, read strictly."""

import tomllib
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from harness.analysis.claims import NEEDED
from harness.errors import UsageError
from harness.records.profile import Profile
from harness.targets import nearest, read_table

FOLDER = Path(__file__).parent
LENGTHS = Path(__file__).parent / "answer_lengths"
Rule = tuple[bool, str, str]  # whether it is kept, the value's place, words for a valid value


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
        raise UsageError(f"{path}: {error}", "fix the TOML at that place") from error
    profile = read_table(Profile, _written_out({"name": path.stem} | table, path), str(path))
    _check(profile, path)
    return profile


def _written_out(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a profile's table without shorthands: a bare number for a constant, a name for the answers' lengths."""
    answer = table.get("answer")
    if isinstance(answer, dict):
        answer = _with_lengths(_with_constants(answer, "ttft_s", "tokens"), path)
        table = table | {"answer": answer}
    return _with_constants(table, "think_s")


def _with_constants(table: dict[str, Any], *names: str) -> dict[str, Any]:
    numbers = {name: value for name in names if isinstance(value := table.get(name), int | float)}
    return table | {name: {"median": value} for name, value in numbers.items()}


def _with_lengths(answer: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return an answer's table with the quantiles that ``lengths`` names in the place of ``tokens``."""
    if "lengths" not in answer:
        return answer
    known = sorted(path.stem for path in LENGTHS.glob("*.toml"))
    name = answer["lengths"]
    if name not in known:
        raise UsageError(f"{path}: answer.lengths is {name!r}", nearest(str(name), known))
    if "tokens" in answer or "tokens_quantiles" in answer:
        raise UsageError(f"{path}: answer states both lengths and tokens", "leave one of them out")
    quantiles = tomllib.loads((LENGTHS / f"{name}.toml").read_text(encoding="utf-8"))["quantiles"]
    rest = {key: value for key, value in answer.items() if key != "lengths"}
    return rest | {"tokens": {"median": quantiles[len(quantiles) // 2]}, "tokens_quantiles": quantiles}


def _check(profile: Profile, path: Path) -> None:
    """Raise UsageError for the first value that its record takes and a campaign cannot."""
    for good, place, remedy in [*_rules(profile), *_workload_rules(profile), *_orders(profile)]:
        if not good:
            value = attrgetter(place)(profile)
            shown = list(value) if isinstance(value, tuple) else value
            raise UsageError(f"{path}: {place} is {shown!r}", f"write {remedy}")


def _rules(profile: Profile) -> Iterator[Rule]:
    search, window, lengths = profile.search, profile.window, profile.answer.tokens_quantiles
    yield profile.answer.tokens.median >= 2, "answer.tokens.median", "2 or more: the nonce and the end marker"
    yield len(lengths) != 1 and min(lengths, default=2) >= 2, "answer.tokens_quantiles", "none, or several from 2 on"
    yield profile.turns_per_conversation >= 1, "turns_per_conversation", "1 or more"
    yield profile.think_s.median > 0, "think_s.median", "a number above 0"
    yield search.growth > 1, "search.growth", "a number above 1"
    yield search.precision > 0, "search.precision", "a number above 0"
    yield 1 <= search.base_users <= search.highest, "search.base_users", "a number from 1 to search.highest"
    yield profile.capacity or not search.rounds, "search.rounds", "0 where capacity is false"
    yield search.rounds != 1, "search.rounds", "0, or at least 2 for an interval"
    yield 0 not in search.further_think_s, "search.further_think_s", "numbers above 0"
    yield search.repetitions >= 1, "search.repetitions", "1 or more"
    yield profile.capacity or not search.claims, "search.claims", "false where capacity is false"
    enough = search.repetitions >= NEEDED or not search.claims
    yield enough, "search.repetitions", f"{NEEDED} or more where search.claims is true"
    yield search.max_trials >= 1, "search.max_trials", "1 or more"
    yield 0 < window.measure_min_s <= window.measure_max_s, "window.measure_min_s", "above 0, at most measure_max_s"


def _workload_rules(profile: Profile) -> Iterator[Rule]:
    if profile.open:
        yield profile.open.per_minute >= 1, "open.per_minute", "1 or more"
        yield 0 not in profile.open.percent, "open.percent", "numbers above 0"
    if visit := profile.visit:
        yield visit.users >= 1, "visit.users", "1 or more"
        yield visit.measure_s > 0, "visit.measure_s", "a number above 0"
    if spike := profile.spike:
        yield spike.percent >= 1, "spike.percent", "1 or more"
        yield spike.times >= 2, "spike.times", "2 or more"
        yield 0 < spike.window_s <= spike.after_s, "spike.window_s", "a number above 0, at most spike.after_s"
        yield spike.hold_s > 0, "spike.hold_s", "a number above 0"
    if soak := profile.soak:
        yield soak.percent >= 1, "soak.percent", "1 or more"
        yield (
            0 < soak.block_s <= soak.minutes * 60 / 5,
            "soak.block_s",
            "above 0, at most a fifth of soak.minutes",
        )


def _orders(profile: Profile) -> Iterator[Rule]:
    places = ["answer.tokens_quantiles", "search.further_think_s"]
    places += ["idle.steps"] if profile.idle else []
    places += ["open.percent"] if profile.open else []
    for place in places:
        values = attrgetter(place)(profile)
        yield values == tuple(sorted(values)), place, "ascending whole numbers"
