"""Claims are stated twice, and both statements agree."""

import pytest

from harness.analysis import claims as rules
from reports.content.claims import judge_known
from reports.content.known import Known
from reports.evidence.trials import columns
from reports.verify import asked
from tests.doubles import results_run
from tests.unit.reports.cells.test_cells import run_of
from tests.unit.reports.content.test_claims import named

RUNS = [
    (),
    ("streamlit",),
    ("django+angular",),
    ("streamlit:2", "django+angular", "streamlit", "streamlit:1.44"),
    ("django:plain+angular", "streamlit:plain", "django+angular", "streamlit"),
    ("django:no-redis+angular", "django+angular", "fastapi+react"),
    ("fastapi:plain+react", "fastapi+react", "streamlit", "streamlit:plain"),
    ("django:plain+angular", "streamlit"),
    ("django+streamlit", "streamlit:2"),
    ("django-templates", "flask+vue"),
]


def test_quantities_directions_thresholds_and_think_times_are_the_same() -> None:
    first = {one.id: [(ask.quantity, ask.direction, ask.threshold) for ask in one.asks] for one in rules.CLAIMS}
    assert {claim: list(map(tuple, asks)) for claim, asks in asked.ASKS.items()} == first
    assert asked.THINK_TIMES_S == rules.THINK_TIMES_S


@pytest.mark.parametrize("names", RUNS)
def test_every_claim_is_about_the_same_targets(names: tuple[str, ...]) -> None:
    models = [named(name, results_run.STREAMLIT if "streamlit" in name else results_run.DJANGO) for name in names]
    run = run_of(*models)
    facts = {name: Known(tried={}, own_s=3.0, answer_s=1.1) for name in names}
    found = judge_known(facts, run.targets, columns(run)[0])
    kinds = {name: {"kind": info.kind} for name, info in run.targets.items()}
    assert asked.claimed(kinds) == {one.id: one.targets for one in found}
