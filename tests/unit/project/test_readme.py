"""The README's table says what tuning is worth and what a core carries, where the example run holds both."""

from typing import Any

import pytest

from docs.generate import readme, sessions
from docs.generate.example import Cell, Example

Bracket = tuple[float | None, float | None]
TUNED: dict[str, Bracket] = {"django+angular": (500, 605), "streamlit": (200, 242)}
PLAIN: dict[str, Bracket] = {"django:plain+angular": (450, 578), "streamlit:plain": (50, 60.5)}


@pytest.fixture(autouse=True)
def one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what may be kept over several sessions."""
    monkeypatch.setattr(sessions, "figures", dict)
    monkeypatch.setattr(sessions, "runs", str)


def cell(measure: str, target: str, text: str, bracket: Bracket | None = None, **more: Any) -> Cell:
    return Cell(
        measure=measure,
        target=target,
        row="Scalability",
        label=measure,
        text=text,
        value=None,
        unit=None,
        bracket=bracket,
        verdict="measured",
        **more,
    )


def run(brackets: dict[str, Bracket], **further: str) -> Example:
    """Return a run with these capacities, and of both columns what ``further`` says of other measures."""
    carried = [cell("capacity_users", t, f"{one[0]:g}–{one[1] or 0:g} users (…)", one) for t, one in brackets.items()]
    cost = [cell("target_cpu_s_per_turn", target, "18 ms/turn") for target in TUNED]
    others = [cell(name, target, text) for name, text in further.items() for target in TUNED]
    table = {
        "run_id": "r",
        "columns": [{"target": target} for target in TUNED],
        "further": [{"target": target} for target in brackets if target not in TUNED],
    }
    found = {(one.measure, one.target): one for one in (*carried, *cost, *others)}
    ratios = {measure: cell(measure, "django+angular", "2 ×") for measure, _ in found}
    return Example(table=table, run={"profile": {"name": "survey"}}, cells=found, ratios=ratios)


def test_what_tuning_is_worth_stands_for_each_side_with_the_range_that_the_brackets_leave() -> None:
    assert readme.tuning(run(TUNED | PLAIN)) == (
        "[Tuning](docs/decisions/plain-and-tuned.md) is worth this much in run `r`. "
        "`django:plain+angular` has a capacity of 450–578 users, `django+angular` of 500–605 users: "
        "a factor of **1.08** (0.865–1.34, so perhaps none). "
        "`streamlit:plain` has a capacity of 50–60.5 users, `streamlit` of 200–242 users: "
        "a factor of **4** (3.31–4.84)."
    )


def test_a_side_without_a_plain_build_is_left_out_and_a_run_without_any_says_nothing() -> None:
    one = readme.tuning(run(TUNED | {"streamlit:plain": (50, 60.5)}))
    assert "streamlit:plain" in one
    assert "django" not in one
    assert readme.tuning(run(TUNED)) == ""


@pytest.mark.parametrize("bracket", [(50, None), (0, 1)])
def test_an_open_bracket_leaves_the_factor_open(bracket: Bracket) -> None:
    said = readme.tuning(run(TUNED | {"streamlit:plain": bracket}))
    assert said.endswith("users; the factor is open.")
    assert "**" not in said


def test_an_end_that_was_worked_out_is_marked() -> None:
    made = run(TUNED | PLAIN)
    made.cells["capacity_users", "streamlit"] = cell(
        "capacity_users", "streamlit", "200–≤242 users", (200, 242), worked_out=(False, True)
    )
    assert "a factor of **4** (3.31–≤4.84)." in readme.tuning(made)


def test_the_table_shows_tuned_with_plain_beside_it_and_what_a_core_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    further = {"users_per_core_at_capacity": "350 users/core (in 2 trials)", readme.TASKS: "10 of 10"}
    made = run(TUNED | PLAIN, **further)
    monkeypatch.setattr(readme.example, "survey", lambda: made)
    (row,) = [line for line in readme.table().splitlines() if "Scalability" in line]
    _, _, modular, monolithic, ratio, _ = row.split("|")
    beside = "<br>not tuned: capacity 50–60.5 users<br>users per core used at capacity 350 users<br>"
    assert f"capacity **200–242 users**{beside}" in monolithic
    assert "capacity **500–605 users**<br>not tuned: capacity 450–578 users<br>" in modular
    assert readme.table().endswith(f"\n{readme.tuning(made)}\n")
    assert ratio.strip() == "capacity **2 ×**<br>users per core **2 ×**<br>CPU per turn **2 ×**"


@pytest.mark.parametrize(("interval", "around"), [("–", ""), ("400–450 users", " (400–450 users)")])
def test_the_interval_over_sessions_stands_behind_a_number_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, interval: str, around: str
) -> None:
    found = sessions.PooledFigure(
        label="Capacity", target="streamlit", value="≥ 420 users", interval=interval, following="–", counted="3"
    )
    made = run(TUNED | PLAIN, **{readme.TASKS: "10 of 10"})
    monkeypatch.setattr(readme.example, "survey", lambda: made)
    monkeypatch.setattr(sessions, "figures", lambda: {"capacity_users/streamlit": found})
    assert f"capacity **≥ 420 users**{around}<br>" in readme.table()
