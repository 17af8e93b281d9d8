"""What is tried of a REST chatbot that has only some of the contract's features, and that each check can fail."""

from pathlib import Path

import pytest

from harness.probes.contract import check, check_spoken
from harness.probes.contract.partial import CONTRACT
from harness.probes.subject import Subject
from harness.probes.world import OPERATIONS
from harness.targets import discover
from tests import ROOT
from tests.doubles.conformance_twin import SEED, Twin, running

SIGN_IN = frozenset({"sign-in", "streaming"})

#: a defect of the twin -> a part of the claims that must then fail
DEFECTS = {
    "no end marker": "streams token events, then done",
    "another answer": "streams token events, then done",
    "others' conversations leak": "another person's conversation answers 404",
    "failure looks like an end": "cuts short does not end with done",
}


def test_a_right_target_passes(tmp_path: Path) -> None:
    with running(Twin(log=tmp_path / "log")) as base_url:
        checks = check_spoken(base_url, seed=SEED, features=SIGN_IN)
    assert [one.text for one in checks if not one.passed] == []
    assert len(checks) == 6


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found(defect: str, tmp_path: Path) -> None:
    with running(Twin(defect, log=tmp_path / "log")) as base_url:
        checks = check_spoken(base_url, seed=SEED, features=SIGN_IN)
    assert [one.passed for one in checks if DEFECTS[defect] in one.text] == [False]


def test_a_session_that_is_not_taken_fails_everything_but_being_refused(tmp_path: Path) -> None:
    with running(Twin(log=tmp_path / "log")) as base_url:
        checks = check_spoken(base_url, seed=SEED + 1, features=SIGN_IN)
    assert [one.text for one in checks if one.passed] == ["nobody signed in: 401"]


def test_without_sign_in_nobody_is_kept_apart() -> None:
    with running(Twin()) as base_url:
        checks = check_spoken(base_url, seed=SEED, features=frozenset({"streaming"}))
    assert len(checks) == 4


def test_every_api_of_ours_states_all_features_so_that_all_of_the_contract_is_tried() -> None:
    apis = discover(ROOT / "targets").of_kind("api")
    assert len(apis) >= 3
    for api in apis:
        assert set(api.features) >= CONTRACT, api.name


def test_all_features_lead_to_every_operation_and_fewer_to_what_the_load_needs() -> None:
    with running(Twin(per_minute=60)) as base_url:
        found = [
            {one.operation for one in check(subject(base_url, features))}
            for features in (CONTRACT, CONTRACT - {"admin"})
        ]
    assert found[0] >= set(OPERATIONS)
    assert found[1] == {"me", "createConversation", "sendMessage"}


def subject(base_url: str, features: frozenset[str]) -> Subject:
    stated = tuple(sorted(features))
    return Subject(target="twin", base_url=base_url, protocol="rest", web=False, features=stated, seed=SEED)
