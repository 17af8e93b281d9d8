"""The registry of reason codes holds every code that the sources can make, and no other."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest

from harness.analysis.facts import Facts
from harness.analysis.reason import BY_CODE, CODES, ReasonCode
from harness.analysis.validity import Validity
from harness.analysis.verdict import judge
from harness.records.slo import Slo
from harness.trials.plans import TURNS_NEEDED
from tests import ROOT

CODE = re.compile(r"(invalid|target|slo|check|note)\.[a-z_]+[a-z0-9_]*")
REGISTRY = ROOT / "harness" / "analysis" / "reason.py"
NO_APPLICATION = Facts(spare_cpus=True, budget_cores=2, stopped_early=False, turns_needed=1, no_app=True)
FIGURES: dict[str, float | None] = {"turns": 100.0}


def written() -> Iterator[str]:
    """Yield each code that stands whole in a source file of the harness or the reports."""
    for folder in ("harness", "reports", "loadtests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path != REGISTRY:
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                        yield node.value


def composed() -> Iterator[str]:
    """Yield each code whose name is put together when a verdict is made."""
    yield from (f"slo.{one.name}" for one in fields(Slo))
    late: dict[str, float | None] = {"generator_cores": 2.0, "schedule_delay_p95_s": 1.0, "model_lag_p99_s": 1.0}
    for figures, spare in ((late, True), ({"offered_ratio": 0.1}, False)):
        verdict = judge(FIGURES | figures, replace(NO_APPLICATION, spare_cpus=spare), Slo())
        yield from (reason.code for reason in verdict.reasons)


def test_every_code_of_the_sources_is_explained() -> None:
    assert {*written(), *composed()} - set(BY_CODE) == set()


def test_every_explained_code_can_be_made() -> None:
    assert set(BY_CODE) - {*written(), *composed()} == set()


def test_no_code_is_explained_twice() -> None:
    assert len(BY_CODE) == len(CODES)


@pytest.mark.parametrize("one", CODES, ids=lambda one: one.code)
def test_every_text_is_a_sentence(one: ReasonCode) -> None:
    for text in (one.meaning, one.cause, one.remedy):
        assert text[0].isupper() or text[0] == "`"
        assert "\n" not in text
        assert len(one.meaning) <= 90


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("invalid.steal", f"{Validity().steal_ratio:.0%}".replace("%", " %")),
        ("invalid.schedule_delay", f"{Validity().schedule_delay_p95_s * 1000:.0f} ms"),
        ("slo.added_stall_p95_s", f"{Slo().added_stall_p95_s * 1000:.0f} ms"),
        ("invalid.few_turns", f"{TURNS_NEEDED} turns"),
    ],
)
def test_limits_are_those_of_the_rules(code: str, limit: str) -> None:
    assert limit in (BY_CODE[code].limit or "")
