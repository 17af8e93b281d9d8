"""How to measure: profiles, small TOML files read strictly."""

import dataclasses
import tomllib
import typing
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.records import AnswerPlan, Distribution
from harness.records.profile import Profile
from harness.targets import nearest, reject_unknown

FOLDER = Path(__file__).parent
LENGTHS = Path(__file__).parent / "answer_lengths"


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
