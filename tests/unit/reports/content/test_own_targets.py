"""Runs without the article's pair: a column for every target, and no word about what the run does not have."""

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from harness.records import Reason, Verdict
from reports import build
from reports.content.report import Report
from reports.pages import files, html, terminal
from reports.verify import verify
from reports.verify.wording import visible_text
from tests.doubles import results_run

STREAMLIT, DJANGO = results_run.SMALL
LATE = Verdict(outcome="fail", reasons=(Reason(code="slo.lateness_p95_s", text="lateness p95 900 ms"),))


def own(name: str, like: results_run.Measured = STREAMLIT, **changes: object) -> results_run.Measured:
    """Return a chatbot of somebody's own."""
    return replace(like, name=name, title=name.capitalize(), packages=(("chat", "1.0"),), **changes)  # type: ignore[arg-type]


SETS = {
    "one": [own("mybot")],
    "three monoliths": [own("mybot"), own("other"), own("third")],
    "two modular ones": [own("mybot+vue", DJANGO), own("other+vue", DJANGO)],
    "a monolith and a control": [own("mybot"), replace(results_run.NO_APP, levels=((10, 0), (20, 0)))],
    "five": [own(f"bot{n}") for n in range(5)],
    "without a climb": [own("mybot", levels=((10, 0),)), own("other", levels=((10, 0),))],
    "nothing measured": [own("mybot", levels=(), idle=False), own("other", levels=(), idle=False)],
}


def told(folder: Path, report: Report) -> dict[str, str]:
    """Return a report as page, Markdown and terminal show it."""
    console = Console(width=400, record=True, file=StringIO())
    console.print(terminal.render(report))
    return {
        "page": visible_text((folder / "report/report.html").read_text()),
        "markdown": (folder / "report/table.md").read_text(),
        "terminal": console.export_text(),
    }


@pytest.mark.parametrize("systems", SETS.values(), ids=SETS)
def test_every_target_has_its_column_and_nothing_is_said_of_others(
    systems: Sequence[results_run.Measured], tmp_path: Path
) -> None:
    folder = results_run.write_run(tmp_path / "run", systems)
    report = build.build(folder)
    claims = () if report.claims else ("judgement", "article on", "article says on")
    for name, text in told(folder, report).items():
        for absent in ("no such target", "Modular:", "Monolithic:", "modular ÷", "None", *claims):
            assert absent not in text, (name, absent)
        for system in systems:
            cell = report.table.cell(f"capacity_users/{system.name}")
            assert cell is not None
            shown = files.escape(cell.text) if name == "markdown" else cell.text
            assert shown in " ".join(text.split()) or name == "terminal", (name, system.name)
    names = {system.name for system in systems}
    assert all(names.issuperset(claim.targets) for claim in report.claims)
    assert bool(report.claims) == any(system.kind == "modular" for system in systems)
    assert verify(folder) == []


def test_columns_are_the_targets_few_at_a_time(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", SETS["five"])
    build.build(folder)
    heads = [line for line in (folder / "report/table.md").read_text().splitlines() if line.startswith("|  | ")]
    assert heads == ["|  | bot0 | bot1 | bot2 | bot3 |", "|  | bot4 |"]


def test_the_headline_names_all_targets(tmp_path: Path) -> None:
    report = build.build(results_run.write_run(tmp_path / "run", SETS["three monoliths"]))
    assert report.headline.count(" users") >= 3
    assert all(f"{name} " in report.headline for name in ("mybot", "other", "third"))
    assert files.title(report) == "Mybot, Other and Third"
    assert [card["over"] for card in html._cards(report)] == ["mybot", "other", "third"]


def test_a_capacity_that_is_not_settled_is_not_said_to_be_one(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", [own("mybot", levels=(), idle=False)])
    results_run.chat_trial(folder, own("mybot"), 10, 0, number=2, minute=9, judged=LATE)
    report = build.build(folder)
    assert report.headline == "Capacity not settled: mybot."


def test_a_target_that_carries_nobody_is_named(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", [own("mybot"), own("other", levels=(), idle=False)])
    for repetition in (0, 1):
        number = 2 + repetition
        results_run.chat_trial(folder, own("other"), 1, repetition, number=number, minute=number, judged=LATE)
    report = build.build(folder)
    assert report.headline.endswith("Not even one user within the SLO: other.")
    assert report.headline.startswith("Capacity within the SLO at think time 3 s: mybot ")


def test_a_pair_keeps_the_articles_columns(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", results_run.SMALL)
    text = told(folder, build.build(folder))
    assert "Modular: django+angular" in text["markdown"].replace("\\", "")
    assert "What the article says on scalability" in text["page"]


def test_commands_can_be_copied_from_the_report(tmp_path: Path) -> None:
    command = ("chatbench", "run", "./my bot", "--profile", "it's.toml")
    folder = results_run.write_run(tmp_path / "run", [own("./my bot")], command=command)
    report = build.build(folder)
    shown = (folder / "report/table.json").read_text()
    assert "chatbench run './my bot' --profile" in shown
    cell = report.table.cell("security/./my bot")
    assert cell is not None
    assert cell.text.endswith("chatbench run './my bot'")
