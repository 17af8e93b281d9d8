"""A run that was resumed later was measured in several sittings, and its report says so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.records import PhaseTimes, Trial, TrialKey, Verdict
from reports import build
from reports.content.report import conditions_list
from reports.evidence.sittings import sittings
from reports.verify import verify
from tests.doubles import results_run, trials

SUMMARY = results_run._summary(10, [])


def started(*minutes: float, length_s: float = 0.0) -> list[Trial]:
    """Return trials that began so many minutes after the first, each of this length."""
    key = TrialKey(target="streamlit", scenario="chat", level=10, repetition=0, number=1)
    phases = {"measure": PhaseTimes(start_s=900.0, end_s=900.0 + length_s)}
    made = replace(trials.trial(key, Verdict(outcome="pass")), summary=replace(SUMMARY, phases=phases))
    first = datetime(2026, 11, 29, 23, 50, tzinfo=UTC)
    return [replace(made, started_at=(first + timedelta(minutes=one)).isoformat()) for one in minutes]


@pytest.mark.parametrize(
    ("made", "count"),
    [
        ([], 0),
        (started(0), 1),
        (started(0, 3, 17), 1),
        (started(0, 3, 18), 2),
        (started(40, 0, 3, 18), 3),
        (started(0, 20, 40, length_s=600.0), 1),
        (started(0, 30, length_s=600.0), 2),
    ],
)
def test_a_quarter_of_an_hour_without_a_trial_parts_two_sittings(made: list[Trial], count: int) -> None:
    assert sittings(made) == count


def test_a_trial_without_an_account_of_its_phases_has_no_length() -> None:
    first, second = started(0, 15, length_s=600.0)
    assert sittings([first, second]) == 1
    assert sittings([replace(first, summary=None), second]) == 2


def test_a_report_on_two_sittings_does_not_speak_of_one_session(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", results_run.SMALL)
    once = build.build(folder)
    assert "Sittings" not in dict(conditions_list(once))
    assert once.headline.endswith("(one session on one machine).")
    results_run.rewrite(folder / "trials/django-angular/chat/004-30-0", started_at="2026-11-23T08:00:00Z")
    report = build.build(folder)
    assert dict(conditions_list(report))["Sittings"] == "2"
    assert report.headline.endswith("(2 sittings on one machine).")
    assert any(note.startswith("Measured in 2 sittings, 15 minutes or more apart.") for note in report.notes)
    cell = report.table.cell("capacity_users/streamlit")
    assert cell is not None
    assert "one session" not in cell.text
    assert [str(one) for one in verify(folder)] == []
