"""A finding's verdict has to be carried by its counts."""

import pytest

from harness.records import Finding, FindingOutcome, from_json, to_json


def finding(outcome: FindingOutcome, exercised: int, passed: int) -> Finding:
    return Finding(
        topic="security",
        name="csrf",
        title="A request from elsewhere",
        outcome=outcome,
        exercised=exercised,
        passed=passed,
        text="seen",
    )


@pytest.mark.parametrize(
    ("outcome", "exercised", "passed"),
    [("passed", 0, 0), ("passed", 3, 2), ("failed", 3, 3), ("failed", 0, 0), ("not measured", 1, 1), ("passed", 2, 3)],
)
def test_a_verdict_that_its_counts_do_not_carry_is_refused(
    outcome: FindingOutcome, exercised: int, passed: int
) -> None:
    with pytest.raises(ValueError, match="finding csrf"):
        finding(outcome, exercised, passed)


def test_a_finding_survives_its_file() -> None:
    made = finding("passed", 3, 3)
    assert from_json(Finding, to_json(made)) == made
