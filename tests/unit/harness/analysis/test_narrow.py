"""A fail under limits that are too low for its users is not the target's; a pass and a kill for memory stay."""

from dataclasses import replace

import pytest

from harness.analysis.narrow import excused, too_narrow
from harness.records import Reason, Verdict
from tests.doubles.trials import LIMITS

MISSED = Verdict(outcome="fail", reasons=(Reason(code="slo.failure_ratio", text="failed turns 30 % (limit 1 %)"),))


@pytest.mark.parametrize(("name", "enough"), [("open_files", 500), ("tasks", 200), ("ports", 400)])
def test_each_limit_has_two_sides(name: str, enough: int) -> None:
    assert too_narrow(replace(LIMITS, **{name: enough}), 100) == []
    (reason,) = too_narrow(replace(LIMITS, **{name: enough - 1}), 100)
    assert (reason.code, reason.value, reason.limit) == ("invalid.limits", enough - 1, enough)
    assert f"{enough - 1} (minimum {enough} for 100 users)" in reason.text


def test_limits_that_are_not_there_or_were_not_read_are_wide_enough() -> None:
    assert too_narrow(LIMITS, 100_000) == []


def test_a_fail_of_300_users_with_256_open_files_is_invalid() -> None:
    verdict = excused(MISSED, replace(LIMITS, open_files=256), 300)
    assert verdict.outcome == "invalid"
    assert [reason.code for reason in verdict.reasons] == ["invalid.limits"]
    assert "`ulimit -n`" in verdict.reasons[0].text
    assert excused(MISSED, replace(LIMITS, open_files=20_000), 300) == MISSED


def test_other_verdicts_stay_what_they_are() -> None:
    narrow = replace(LIMITS, open_files=256)
    killed = Verdict(outcome="fail", reasons=(*MISSED.reasons, Reason(code="target.oom", text="1 kill")))
    for verdict in (Verdict(outcome="pass"), killed, Verdict(outcome="invalid", reasons=MISSED.reasons)):
        assert excused(verdict, narrow, 300) == verdict
