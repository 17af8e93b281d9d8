"""Cells that rest on audits: counted as found, with their evidence, and verified from the file itself."""

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness import results
from harness.records import Finding, Verdict
from reports import build
from reports.cells.audits import word
from reports.content.report import Report, assemble
from reports.pages import html, terminal
from reports.pages.files import to_markdown
from reports.verify import verify
from tests.doubles import results_run

TASKS = Finding(
    topic="integration",
    name="tasks",
    title="tasks by a program",
    outcome="failed",
    exercised=3,
    passed=2,
    text="rename: nothing was renamed",
    value=61.0,
    unit="lines",
    details=("sign in: done", "rename: <b>nothing</b> was renamed", "export: done"),
)
HEADERS = Finding(
    topic="security",
    name="headers",
    title="security headers",
    outcome="passed",
    exercised=5,
    passed=5,
    text="all did what they should",
    details=("a", "b", "c", "d", "e", "control: as it was"),
)
ORIGIN = Finding(
    topic="security",
    name="origin",
    title="foreign origins",
    outcome="not measured",
    exercised=0,
    passed=0,
    text="it has no WebSocket",
)
STREAMLIT = "trials/streamlit/audit/090-1-0"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("audited") / "run", results_run.SMALL)
    streamlit, django = results_run.SMALL
    results_run.audit_trial(folder, streamlit, [TASKS, HEADERS], number=90, minute=300)
    results_run.audit_trial(folder, django, [replace(TASKS, outcome="passed", passed=3), ORIGIN], number=90, minute=301)
    build.build(folder)
    return folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "run")


@pytest.fixture(scope="module")
def report(original: Path) -> Report:
    return assemble(original)


def texts(report: Report, row: str) -> list[tuple[str, str | None, str | None]]:
    lines = next(one.lines for one in report.table.rows if one.name == row)
    return [
        (x.label, x.modular.text if x.modular else None, x.monolithic.text if x.monolithic else None) for x in lines
    ]


def test_a_finding_is_a_cell_with_its_counts_verdict_and_evidence(report: Report) -> None:
    cell = report.table.cell("integration.tasks/streamlit")
    assert cell
    assert (cell.text, cell.verdict, cell.value, cell.unit) == ("2 of 3; 61 lines", "failed", 2 / 3, "ratio")
    assert cell.rests_on == (STREAMLIT,)
    assert cell.evidence == f"{STREAMLIT}/audit.json#tasks"


NEAR = Finding(
    topic="security",
    name="websocket-origin",
    title="foreign origins refused",
    outcome="failed",
    exercised=3,
    passed=2,
    text="origin http://localhost:2: 101, expected refused. Streamlit counts every port of localhost as its own.",
    brief="open to other ports of localhost, refused for other hosts",
    details=("FAILED origin http://localhost:2: 101, expected refused", "origin null: 403", "origin http://x: 403"),
)


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (NEAR, "2 of 3: open to other ports of localhost, refused for other hosts"),
        (replace(NEAR, brief=""), "2 of 3: origin http://localhost:2: 101, expected refused"),
        (replace(NEAR, brief="x" * 120), "2 of 3: " + "x" * 120),
        (replace(NEAR, brief="x" * 121), "2 of 3: " + "x" * 119 + "…"),
    ],
    ids=["brief", "first line", "at the limit", "cut"],
)
def test_a_security_cell_says_what_differs_in_the_table_itself(finding: Finding, text: str, run: Path) -> None:
    streamlit, _ = results_run.SMALL
    results_run.audit_trial(run, streamlit, [TASKS, HEADERS, finding], number=91, minute=302)
    shutil.rmtree(run / "report")
    build.build(run, formats=("md", "json", "csv"))
    cell = assemble(run).table.cell("security.websocket-origin/streamlit")
    assert cell
    assert (cell.short, cell.text, cell.verdict) == ("2 of 3", text, "failed")
    assert verify(run) == []


def test_what_programs_are_not_offered_is_no_broken_promise(report: Report) -> None:
    silent = replace(TASKS, passed=0)
    assert [word(one) for one in (silent, TASKS, replace(TASKS, topic="security"), ORIGIN)] == [
        "none",
        "in part",
        "failed",
        "not measured",
    ]
    assert "in part: 2 of 3" in to_markdown(report)
    assert 'badge failed">in part<' in html.to_html(report, [])


def test_a_line_stands_for_both_columns_whichever_was_tried(report: Report) -> None:
    assert texts(report, "Security") == [
        ("Foreign origins", "not measured: it has no WebSocket", "not measured yet"),
        ("Security headers", "not measured yet", "5 of 5"),
    ]
    assert texts(report, "Integration")[0][0] == "Tasks by a program"


def test_a_target_that_was_not_audited_says_so(run: Path) -> None:
    shutil.rmtree(run / "trials/django-angular/audit")
    why = "not measured: it was not audited; chatbench run django+angular"
    assert texts(assemble(run), "Integration") == [("Tasks by a program", why, "2 of 3; 61 lines")]


def test_an_invalid_audit_shows_no_number(run: Path) -> None:
    results_run.rewrite(run / STREAMLIT, verdict=Verdict(outcome="invalid"))
    assert texts(assemble(run), "Integration")[0][2] == "not measured: its audit is invalid: "


def test_an_untouched_run_verifies(run: Path) -> None:
    assert [str(one) for one in verify(run)] == []


def change(path: Path, edit: Callable[[dict[str, Any]], None], *, hide: bool) -> None:
    data = json.loads(path.read_text())
    edit(data)
    results.write_json(path, data)
    if hide:
        trial = json.loads((path.parent / "trial.json").read_text())
        trial["files"][path.name] = results.sha256(path)
        results.write_json(path.parent / "trial.json", trial)


def test_verify_notices_an_edited_audit(run: Path) -> None:
    change(run / STREAMLIT / "audit.json", lambda data: data["findings"][0].update(text="all well"), hide=False)
    assert [(f.place, f.text) for f in verify(run)] == [
        (f"{STREAMLIT}/audit.json", "its SHA-256 differs from the recorded one")
    ]


def test_verify_notices_an_audit_that_is_gone_or_never_recorded(run: Path) -> None:
    results_run.rewrite(run / STREAMLIT, files={})
    assert "no SHA-256 is recorded for it" in [f.text for f in verify(run)]
    (run / STREAMLIT / "audit.json").unlink()
    assert "is missing" in [f.text for f in verify(run)]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda one: one.update(passed=3), "says 'failed', 3 of 3 inputs make it 'passed'"),
        (lambda one: one.update(exercised=4), "4 inputs, 3 of them described"),
        (lambda one: one.update(passed=4), "4 of 3 inputs passed"),
        (lambda one: one.update(name="headers"), "stands there 2 times"),
    ],
)
def test_verify_names_a_finding_that_its_counts_do_not_carry(
    run: Path, edit: Callable[[dict[str, Any]], None], said: str
) -> None:
    change(run / STREAMLIT / "audit.json", lambda data: edit(data["findings"][0]), hide=True)
    assert said in [f.text for f in verify(run)]


def test_verify_names_a_cell_that_the_audit_does_not_bear_out(run: Path) -> None:
    def edit(table: dict[str, Any]) -> None:
        for row in table["rows"]:
            for cell in row["cells"]:
                if cell["id"] == "integration.tasks/streamlit":
                    cell.update(text="3 of 3; 61 lines", verdict="passed")
                if cell["id"] == "security.headers/streamlit":
                    cell.update(id="security.other/streamlit")

    change(run / "report/table.json", edit, hide=False)
    assert [(f.figure, f.text) for f in verify(run)] == [
        ("integration.tasks/streamlit", "verdict: printed 'passed', the evidence gives 'failed'"),
        ("integration.tasks/streamlit", "text: printed '3 of 3; 61 lines', the evidence gives '2 of 3; 61 lines'"),
        ("security.headers/streamlit", "is not in the table"),
        ("security.other/streamlit", "says '5 of 5', no audit gives that"),
    ]


def test_files_link_a_measured_cell_to_its_evidence(original: Path) -> None:
    markdown = (original / "report/table.md").read_text()
    assert f"[2 of 3; 61 lines](../{STREAMLIT}/audit.json#tasks)" in markdown
    assert "not measured: it has no WebSocket |" in markdown
    page = (original / "report/report.html").read_text()
    assert f'<a href="../{STREAMLIT}/audit.json#tasks">2 of 3; 61 lines</a>' in page


def test_the_page_shows_every_detail_and_escapes_it(original: Path) -> None:
    page = (original / "report/report.html").read_text()
    assert "<li>rename: &lt;b&gt;nothing&lt;/b&gt; was renamed</li>" in page
    assert "<script" not in page


def printed(report: Report) -> str:
    stream = io.StringIO()
    Console(file=stream, width=300).print(terminal.render(report))
    return stream.getvalue()


def test_a_terminal_tells_many_findings_of_a_row_in_one_line(run: Path) -> None:
    many = [replace(HEADERS, name=f"headers-{n}", title=f"header {n}") for n in range(6)]
    many[0] = replace(many[0], outcome="failed", passed=4)
    results_run.audit_trial(run, results_run.SMALL[0], [*many, ORIGIN], number=91, minute=400)
    text = printed(assemble(run))
    assert "5 of 6 passed, 1 not measured; failed: Header 0" in text
    assert "Header 1" not in text


def test_every_target_has_a_row_at_a_glance_as_soon_as_there_are_more_than_two(tmp_path: Path) -> None:
    models = [replace(results_run.SMALL[0], name=f"streamlit:{n}", levels=(), idle=False) for n in range(9)]
    folder = results_run.write_run(tmp_path / "run", [*results_run.SMALL, *models])
    results_run.audit_trial(folder, models[8], [HEADERS, ORIGIN], number=90, minute=900)
    build.build(folder)
    markdown = (folder / "report/table.md").read_text()
    rows = markdown.partition("## All targets at a glance")[2].partition("## ")[0]
    assert [f"| streamlit:{n} |" in rows for n in range(9)] == [True] * 9
    assert "| streamlit:8 | – | – | – | – | – | 4.2 s | – | 1 of 1 |" in rows
    widest = max(
        line.count(" | ") for line in markdown.partition("## Other targets")[2].partition("## ")[0].splitlines()
    )
    assert widest == 4
    assert "streamlit:8" in printed(assemble(folder))
    assert [str(one) for one in verify(folder)] == []
