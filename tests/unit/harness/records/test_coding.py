"""Plain data becomes records strictly: each fault names its place, its value and the valid values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from harness.records import from_json, to_json
from harness.records.coding import BadValueError, MissingKeyError, Notation, UnknownKeyError, read_record, read_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A table in a list."""

    users: int
    share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A table with a field of every kind."""

    name: str
    mode: Literal["open", "closed"] = "closed"
    quiet: bool = False
    limit_s: float | None = None
    steps: tuple[Step, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    figures: dict[str, float | None] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)


FULL = Plan(
    name="a",
    mode="open",
    quiet=True,
    limit_s=2.0,
    steps=(Step(users=1), Step(users=2, share=1.0)),
    commands=(("a", "b"), ()),
    env={"A": "b"},
    figures={"x": None, "y": 1.0},
    anything={"z": [1, "a", None]},
)


def test_a_record_survives_its_json() -> None:
    assert from_json(Plan, to_json(FULL)) == FULL
    assert from_json(Plan, {"name": "a"}) == Plan(name="a")


def test_a_whole_number_in_the_place_of_a_number_becomes_one() -> None:
    share = from_json(Step, {"users": 1, "share": 1}).share
    assert (share, type(share)) == (1.0, float)


@pytest.mark.parametrize(
    ("table", "where", "value", "expected"),
    [
        ({"name": 5}, "Plan.name", 5, "a text"),
        ({"name": None}, "Plan.name", None, "a text"),
        ({"name": "a", "mode": "opn"}, "Plan.mode", "opn", "one of open, closed"),
        ({"name": "a", "quiet": 1}, "Plan.quiet", 1, "true or false"),
        ({"name": "a", "limit_s": "2"}, "Plan.limit_s", "2", "a number"),
        ({"name": "a", "limit_s": True}, "Plan.limit_s", True, "a number"),
        ({"name": "a", "steps": "x"}, "Plan.steps", "x", "a list"),
        ({"name": "a", "steps": [{"users": 1}, 7]}, "Plan.steps[1]", 7, "a table"),
        ({"name": "a", "steps": [{"users": 1.5}]}, "Plan.steps[0].users", 1.5, "a whole number"),
        ({"name": "a", "commands": [["a"], "b"]}, "Plan.commands[1]", "b", "a list of texts"),
        ({"name": "a", "commands": [["a"], ["b", 1]]}, "Plan.commands[1][1]", 1, "a text"),
        ({"name": "a", "env": []}, "Plan.env", [], "a table"),
        ({"name": "a", "env": {"A": 1}}, "Plan.env.A", 1, "a text"),
        ([], "Plan", [], "a table"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(table: Any, where: str, value: Any, expected: str) -> None:
    with pytest.raises(BadValueError) as caught:
        from_json(Plan, table)
    assert (caught.value.where, caught.value.value, caught.value.expected) == (where, value, expected)
    assert str(caught.value) == f"{where} is {value!r}, expected {expected}"


def test_an_unknown_key_is_named_with_the_keys_that_are_valid() -> None:
    with pytest.raises(UnknownKeyError, match=r"^Plan\.steps\[0\]: unknown key 'user'$") as caught:
        from_json(Plan, {"name": "a", "steps": [{"user": 1}]})
    assert caught.value.known == ("users", "share")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(MissingKeyError, match=r"^Plan\.steps\[0\]: missing key 'users'$"):
        from_json(Plan, {"name": "a", "steps": [{}]})
    with pytest.raises(MissingKeyError, match=r"^Plan: missing key 'name'$"):
        from_json(Plan, {})


def test_a_notation_has_its_own_word_for_none_and_its_own_range() -> None:
    notation = Notation(none=False, least=1, most=9000)
    assert read_record(Plan, {"name": "a", "limit_s": False}, notation).limit_s is None
    with pytest.raises(BadValueError, match=r"^steps\[0\]\.users is 0, expected a whole number from 1 to 9,000$"):
        read_record(Plan, {"name": "a", "steps": [{"users": 0}]}, notation)
    with pytest.raises(BadValueError, match="limit_s is None"):
        read_record(Plan, {"name": "a", "limit_s": None}, notation)
    for odd in (float("nan"), float("inf"), 10**400):
        with pytest.raises(BadValueError, match="limit_s is"):
            read_record(Plan, {"name": "a", "limit_s": odd}, notation)


def test_a_given_field_is_no_key_of_the_table() -> None:
    assert read_record(Step, {"share": 1.0}, users=3) == Step(users=3, share=1.0)
    with pytest.raises(UnknownKeyError, match="unknown key 'users'"):
        read_record(Step, {"users": 4}, users=3)


def test_values_are_those_that_the_table_states() -> None:
    assert read_values(Plan, {"steps": [{"users": 1}]}) == {"steps": (Step(users=1),)}


def test_a_long_value_is_shortened() -> None:
    with pytest.raises(BadValueError) as caught:
        from_json(Plan, {"name": ["x"] * 500})
    assert len(str(caught.value)) < 120
