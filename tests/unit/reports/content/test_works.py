"""A profile without a capacity: each target works or does not, and no output shows a number of it."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from harness.records import Reason, Verdict
from harness.results import write_json
from reports import build
from reports.content.report import Report
from reports.pages import terminal
from reports.verify import verify
from reports.verify.wording import visible_text
from tests.doubles import results_run

STREAMLIT, DJANGO = (replace(one, levels=(), idle=False) for one in results_run.SMALL)
ASKING = replace(results_run.PROFILE, name="smoke", capacity=False)
FAIL = Verdict(outcome="fail", reasons=(Reason(code="slo.lateness_p95_s", text="lateness p95 900 ms"),))
DISTURBED = Verdict(outcome="invalid", reasons=(Reason(code="invalid.foreign_cpu", text="other programs"),))
LOST = Verdict(outcome="invalid", reasons=(Reason(code="invalid.lost_turns", text="turns are missing"),))
NUMBERS = ("capacity (users", "servers for", "÷ monolithic:", "cpu time per turn at")


def run(folder: Path, streamlit: Verdict | None, django: Verdict | None = None) -> tuple[Path, Report]:
    """Write a run of two targets whose base trials ended so; None: as their figures say."""
    results_run.write_run(folder, (STREAMLIT, DJANGO), profile=ASKING)
    for system, verdict in ((STREAMLIT, streamlit), (DJANGO, django)):
        results_run.chat_trial(folder, system, 10, 0, number=9, minute=9, judged=verdict)
    return folder, build.build(folder)


def told(folder: Path, report: Report) -> dict[str, str]:
    """Return every printed form of a report."""
    from rich.console import Console

    console = Console(width=400, record=True, file=StringIO())
    console.print(terminal.render(report))
    kept = folder / "report"
    return {
        "terminal": console.export_text(),
        "page": visible_text((kept / "report.html").read_text()),
        **{name: (kept / name).read_text() for name in ("table.md", "table.csv", "table.json")},
    }


def test_both_work_and_no_output_shows_a_capacity_servers_or_a_ratio(tmp_path: Path) -> None:
    folder, report = run(tmp_path / "run", None)
    headline = "Does it work? django+angular works, streamlit works. Profile smoke measures no capacity."
    assert report.headline == headline
    for name, text in told(folder, report).items():
        assert "works (10 users)" in " ".join(text.split()), name
        for number in NUMBERS:
            assert number not in text.split("judgement")[0].lower(), (name, number)
    measures = {cell.id.partition("/")[0] for cell in report.table.cells}
    assert measures <= {"works", "flexibility", "integration", "security", "maintenance.swap", "maintenance"}
    assert report.bottlenecks == ()
    assert {claim.judgement for claim in report.claims} == {"not measured"}
    assert not list((folder / "report").glob("figures/*"))
    assert report.citation.startswith("Not to be cited")
    assert [str(one) for one in verify(folder)] == []


def test_what_fails_does_not_work_and_says_why(tmp_path: Path) -> None:
    _, report = run(tmp_path / "run", FAIL)
    cell = report.table.cell("works/streamlit")
    assert cell is not None
    assert (cell.verdict, cell.text) == ("failed", "does not (10 users: lateness p95 900 ms)")
    assert "streamlit does not" in report.headline


def test_what_cannot_be_trusted_is_neither(tmp_path: Path) -> None:
    folder, report = run(tmp_path / "run", LOST)
    cell = report.table.cell("works/streamlit")
    assert cell is not None
    assert (cell.verdict, cell.text) == ("invalid", "invalid: turns are missing")
    assert any("left out" in note for note in report.notes)
    assert "works/streamlit" not in {one.figure for one in verify(folder)}


def test_what_met_the_slo_in_spite_of_other_programs_works(tmp_path: Path) -> None:
    folder, report = run(tmp_path / "run", DISTURBED)
    cell = report.table.cell("works/streamlit")
    assert cell is not None
    assert (cell.verdict, cell.text) == ("passed", "works (10 users)")
    assert not any("left out" in note for note in report.notes)
    assert "works/streamlit" not in {one.figure for one in verify(folder)}


def test_what_missed_the_slo_beside_other_programs_is_not_settled(tmp_path: Path) -> None:
    slow = replace(STREAMLIT, capacity=2)
    results_run.write_run(tmp_path, (slow,), profile=ASKING)
    results_run.chat_trial(tmp_path, slow, 10, 0, number=9, minute=9, judged=DISTURBED)
    cell = build.build(tmp_path).table.cell("works/streamlit")
    assert cell is not None
    assert cell.verdict == "invalid"
    assert "works/streamlit" not in {one.figure for one in verify(tmp_path)}


def test_a_target_without_a_trial_was_not_measured(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", (STREAMLIT,), profile=ASKING)
    cell = build.build(folder).table.cell("works/streamlit")
    assert cell is not None
    assert cell.verdict == "not measured"
    assert verify(folder) == []


@pytest.mark.parametrize("verdict", ["failed", "not measured"])
def test_a_changed_answer_is_found(tmp_path: Path, verdict: str) -> None:
    folder, _ = run(tmp_path / "run", None)
    path = folder / "report" / "table.json"
    table = json.loads(path.read_text())
    cell = next(c for row in table["rows"] for c in row["cells"] if c["id"] == "works/streamlit")
    cell["verdict"] = verdict
    write_json(path, table)
    assert "works/streamlit" in {one.figure for one in verify(folder)}
