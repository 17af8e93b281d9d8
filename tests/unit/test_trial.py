"""What a trial's verdict makes of the contract's operations and of a budget that was not there."""

import pytest

from harness.conformance import Check
from harness.records import Verdict
from harness.trial import with_contract
from harness.verdict import without_budget

PASS = Verdict(outcome="pass")
GOOD = Check(operation="login", passed=True, text="the password signs in")
BAD = Check(operation="logout", passed=False, text="the session goes on")


def test_operations_that_were_tried_and_worked_leave_the_verdict_alone() -> None:
    assert with_contract(PASS, [GOOD], expected=True) == PASS


@pytest.mark.parametrize(
    ("checks", "said"), [([GOOD, BAD], "logout: the session goes on"), ([], "no operation of the contract was tried")]
)
def test_a_broken_operation_and_an_untried_contract_fail(checks: list[Check], said: str) -> None:
    verdict = with_contract(PASS, checks, expected=True)
    assert verdict.outcome == "fail"
    assert [(reason.code, reason.text) for reason in verdict.reasons] == [("check.contract", said)]


def test_a_protocol_without_operations_needs_none() -> None:
    assert with_contract(PASS, [], expected=False) == PASS


def test_without_the_stated_budget_a_trial_is_invalid() -> None:
    verdict = without_budget("memory is held to 2.00 GiB, not 4.00")
    assert verdict.outcome == "invalid"
    assert verdict.reasons[0].code == "invalid.budget"
    assert "2.00 GiB" in verdict.reasons[0].text
