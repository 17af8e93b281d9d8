"""What those who try a target are told of it, and what comes back from where they try it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.probes import audit, contract
from harness.probes.subject import Subject
from harness.records import Finding, TargetInfo, from_json, to_json
from harness.runtimes.protocol import Stack
from harness.targets import discover
from harness.trials.subject import subject
from tests import ROOT
from tests.doubles import results_run
from tests.doubles.runtime import FakePrepared

INFO: TargetInfo = results_run.target_info(results_run.SMALL[0])
STACK = Stack(
    instances=("http://page", "http://second"),
    api_url="http://api",
    model_url="http://model",
    model_log=Path("/here/emissions.jsonl"),
    log_inside="/there/emissions.jsonl",
    site_inside="/there/site",
    ready_after_s=1.0,
)


@pytest.mark.parametrize(
    ("name", "protocol", "web"),
    [("django+angular", "rest", True), ("streamlit", "streamlit", False), ("django+streamlit", "streamlit", False)],
)
def test_a_subject_names_what_can_be_reached_and_read_inside(name: str, protocol: str, web: bool) -> None:
    target = discover(ROOT / "targets").target(name)
    told = subject(FakePrepared(target=target, seed=7, info=INFO), STACK, 60)
    assert (told.target, told.protocol, told.web, told.seed, told.rate_limit) == (name, protocol, web, 7, 60)
    assert (told.base_url, told.api_url) == ("http://page", "http://api")
    assert (told.model_log, told.streamlit_site) == ("/there/emissions.jsonl", "/there/site")
    assert "sign-in" in told.features


class Place:
    """Notes what it is asked to run, and prints what it was made with."""

    def __init__(self, *printed: object) -> None:
        self.printed = [to_json(one) for one in printed]
        self.asked: list[tuple[str, list[str]]] = []

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        self.asked.append((module, list(words)))
        return self.printed


SUBJECT = Subject(target="toy", base_url="http://x", protocol="toy", web=False, features=("search",), seed=1)
GOOD = contract.Check(operation="page", passed=True, text="it is there")
HOUSE = Finding(
    topic="security", name="house", title="doors", outcome="passed", exercised=1, passed=1, text="", details=("a door",)
)


def test_checks_and_findings_come_back_as_they_were_made_inside() -> None:
    place = Place(GOOD)
    assert contract.check_in(place, SUBJECT) == [GOOD]
    ((module, (what, told)),) = place.asked
    assert (module, what) == ("harness.probes", "contract")
    assert from_json(Subject, json.loads(told)) == SUBJECT
    place = Place(HOUSE)
    assert audit.audit_in(place, SUBJECT) == [HOUSE]
    assert place.asked == [("harness.probes", ["audit", told])]
