"""The machine's speed, and the trials set aside for it."""

from dataclasses import replace

import pytest

from harness.analysis import speed
from harness.records import FixedWork, MachineSpeed, Reason, Trial, TrialKey, Verdict
from tests.doubles import trials

KEY = TrialKey(target="a", scenario="chat", level=10, repetition=0, number=3)
EVEN = [1.0, 1.02, 0.98, 1.0]


def work(relative: float) -> FixedWork:
    return FixedWork(seconds={kind: seconds / relative for kind, seconds in speed.REFERENCE_S.items()})


def trial(before: float, after: float, verdict: Verdict | None = None) -> Trial:
    measured = trials.trial(KEY, verdict or Verdict(outcome="pass"))
    return replace(measured, speed=MachineSpeed(before=work(before), after=work(after)))


def test_the_reference_machine_has_speed_one_and_half_the_speed_takes_twice_as_long() -> None:
    assert speed.relative(work(1.0)) == pytest.approx(1)
    assert speed.relative(work(0.5)) == pytest.approx(0.5)


def test_kinds_of_work_count_alike() -> None:
    seconds = dict(speed.REFERENCE_S)
    seconds["json"] /= 16
    assert speed.relative(FixedWork(seconds=seconds)) == pytest.approx(16 ** (1 / len(seconds)))


def test_a_kind_that_is_missing_leaves_no_number() -> None:
    seconds = dict(speed.REFERENCE_S)
    del seconds["json"]
    assert speed.relative(FixedWork(seconds=seconds)) is None
    lost = MachineSpeed(before=work(1), after=FixedWork(seconds={}, missing="no clock"))
    assert speed.around(lost) is None
    assert speed.missing(lost) == "no clock"
    assert speed.around(None) is None


def test_a_trials_speed_lies_between_before_and_after() -> None:
    assert speed.around(MachineSpeed(before=work(0.5), after=work(2))) == pytest.approx(1)


def test_a_sessions_speed_is_the_median_over_its_trials() -> None:
    found = speed.of_session([trial(1, 1), trial(2, 2), trial(4, 4), trials.trial(KEY, Verdict(outcome="pass"))])
    assert found is not None
    assert (found.median, found.low, found.high, found.trials) == (*map(pytest.approx, (2, 1, 4)), 3)
    assert speed.of_session([trials.trial(KEY, Verdict(outcome="pass"))]) is None


@pytest.mark.parametrize("now", [0.76, 1.0, 1.24])
def test_a_trial_within_a_quarter_of_the_median_counts(now: float) -> None:
    assert speed.aside(trial(now, now), EVEN) is None


@pytest.mark.parametrize("now", [0.74, 1.26, 0.5, 2.0])
def test_a_trial_in_a_slow_or_fast_minute_is_set_aside(now: float) -> None:
    odd = speed.aside(trial(now, now, Verdict(outcome="fail")), EVEN)
    assert odd is not None
    assert speed.is_aside(odd)
    (reason,) = odd.verdict.reasons
    assert (odd.verdict.outcome, reason.code) == ("invalid", speed.CODE)
    assert (reason.value, reason.limit) == (pytest.approx(now), pytest.approx(1))
    assert reason.text == f"machine speed {now:.3g} × (median of the session so far 1 ×): measured again"


def test_too_little_is_known_at_first() -> None:
    assert speed.aside(trial(0.5, 0.5), EVEN[: speed.LEAST_KNOWN - 1]) is None


def test_a_trial_that_is_invalid_or_without_a_speed_is_left_alone() -> None:
    invalid = Verdict(outcome="invalid", reasons=(Reason(code="invalid.steal", text="steal"),))
    assert speed.aside(trial(0.5, 0.5, invalid), EVEN) is None
    assert speed.aside(trials.trial(KEY, Verdict(outcome="pass")), EVEN) is None
