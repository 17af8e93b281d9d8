"""The report's files: the same numbers everywhere, everything escaped, nothing from outside."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from harness.errors import BenchError, UsageError
from reports import build
from reports.content.report import Report, assemble
from reports.pages import files, terminal
from reports.verify.wording import visible_text
from tests.doubles import results_run

pytestmark = pytest.mark.rendered

HOSTILE = "<script>alert(1)</script> | **bold** [red]x[/red] `code` 🙂 \u202eمرحبا\u202c"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("run"), results_run.SMALL)
    build.build(folder)
    return folder


@pytest.fixture(scope="module")
def report(run: Path) -> Report:
    return assemble(run)


def printed(report: Report) -> str:
    stream = io.StringIO()
    terminal.show(report, Console(file=stream, width=160))
    return stream.getvalue()


def printed_wide(report: Report) -> str:
    """Every cell in one line."""
    stream = io.StringIO()
    Console(file=stream, width=600).print(terminal.render(report))
    return stream.getvalue()


def words(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", ["turns.parquet", "tokens.parquet", "resources.parquet"])
def test_samples_that_are_not_what_the_trial_wrote_are_not_drawn_from(run: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    file = copy / "trials/streamlit/chat/002-10-0" / name
    file.write_bytes(file.read_bytes() + b" ")
    page = (copy / "report/report.html").read_bytes()
    with pytest.raises(BenchError) as raised:
        build.build(copy)
    assert str(file) in raised.value.message
    assert "restore it, or measure that trial again" in (raised.value.hint or "")
    assert "chatbench run --resume" in (raised.value.hint or "")
    assert (copy / "report/report.html").read_bytes() == page
    file.unlink()
    with pytest.raises(BenchError, match="is missing"):
        build.build(copy, formats=("md",))


def test_all_files_are_there(run: Path) -> None:
    names = {p.relative_to(run / "report").as_posix() for p in (run / "report").rglob("*") if p.is_file()}
    assert {"table.md", "table.json", "table.csv", "report.html"} <= names
    for name in (
        "latency-against-users",
        "throughput",
        "resources-over-time",
        "ttft-distribution",
        "memory-per-session",
    ):
        assert {f"figures/{name}.svg", f"figures/{name}.png"} <= names


def test_cells_of_the_json_have_the_documented_keys(run: Path) -> None:
    data = json.loads((run / "report/table.json").read_text())
    assert [row["name"] for row in data["rows"]] == [
        "Flexibility",
        "Scalability",
        "Integration",
        "Security",
        "Maintenance",
    ]
    for row in data["rows"]:
        for cell in row["cells"]:
            assert {"id", "label", "target", "value", "unit", "bracket", "verdict", "text", "rests_on", "side"} == set(
                cell
            )
            assert all((run / path / "trial.json").is_file() for path in cell["rests_on"])
    ids = [cell["id"] for row in data["rows"] for cell in row["cells"]]
    assert len(ids) == len(set(ids))


def test_every_cell_reads_the_same_in_json_page_markdown_csv_and_terminal(run: Path, report: Report) -> None:
    folder = run / "report"
    data = json.loads((folder / "table.json").read_text())
    page = visible_text((folder / "report.html").read_text())
    markdown = (folder / "table.md").read_text()
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO((folder / "table.csv").read_text()))}
    seen = words(printed_wide(report))
    cells = [cell for row in data["rows"] for cell in row["cells"]]
    assert len(cells) > 30
    for cell in cells:
        assert cell["text"] in page
        assert files.escape(cell["text"]) in markdown
        assert rows[cell["id"]]["text"] == cell["text"]
        assert (float(rows[cell["id"]]["value"]) if rows[cell["id"]]["value"] else None) == cell["value"]
        assert words(cell["text"]) in seen


def test_the_terminal_table_fits_a_hundred_columns(report: Report) -> None:
    lines = printed(report).splitlines()
    assert max(map(len, lines)) <= 100
    assert any("ratio" in line for line in lines)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "srcset"):
                self.links.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(name)


def test_the_page_is_self_contained_and_runs_nothing(run: Path) -> None:
    page = (run / "report/report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "iframe", "object", "link", "form"} & set(tags.tags)
    assert all(link.startswith(("data:image/svg+xml;base64,", "#")) for link in tags.links)
    assert tags.inline == []
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_the_same_samples_give_the_same_bytes(run: Path, tmp_path: Path) -> None:
    before = {p.name: p.read_bytes() for p in (run / "report").rglob("*") if p.is_file() and p.suffix != ".png"}
    build.build(run)
    assert before == {p.name: p.read_bytes() for p in (run / "report").rglob("*") if p.is_file() and p.suffix != ".png"}


def test_only_wanted_formats_are_written(run: Path, tmp_path: Path) -> None:
    report = assemble(run)
    build.write(report, tmp_path, ("md",))
    assert [p.name for p in tmp_path.iterdir()] == ["table.md"]
    with pytest.raises(UsageError, match="pdf") as caught:
        build.build(run, formats=("pdf",))
    assert "html" in caught.value.hint


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    from harness.records import Reason, Verdict

    model = replace(results_run.SMALL[0], title=HOSTILE, levels=(), idle=False, packages=(("<b>p</b>", "1|2"),))
    folder = results_run.write_run(tmp_path / "run", [model])
    verdict = Verdict(outcome="invalid", reasons=(Reason(code="invalid.x", text=HOSTILE),))
    results_run.chat_trial(folder, model, 10, 0, number=2, minute=5, judged=verdict)
    build.build(folder)
    page = (folder / "report/report.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert " ".join(HOSTILE.split()) in visible_text(page)
    markdown = (folder / "report/table.md").read_text()
    assert "<script" not in markdown
    assert "**bold**" not in markdown
    grid = [line for line in markdown.splitlines() if "streamlit" in line and line.startswith("| trials")]
    assert len(grid) == 2  # the check and the chat trial, each in one line
    assert "[red]x[/red]" in printed_wide(assemble(folder))


def test_further_targets_have_a_table_of_their_own(tmp_path: Path) -> None:
    other = replace(results_run.SMALL[0], name="streamlit:2", title="Streamlit, two processes")
    folder = results_run.write_run(tmp_path / "run", [*results_run.SMALL, other])
    report = assemble(folder)
    build.write(report, tmp_path / "report", ("md", "json", "csv"))
    data = json.loads((tmp_path / "report/table.json").read_text())
    assert [f["target"] for f in data["further"]] == ["streamlit:2"]
    assert "Other targets" in (tmp_path / "report/table.md").read_text()
    assert "streamlit:2" in printed(report)


def test_a_worked_out_end_is_marked_in_every_file_and_explained(tmp_path: Path) -> None:
    systems = [replace(one, spare_cpus=False) for one in results_run.SMALL[:1]] + [results_run.SMALL[1]]
    folder = results_run.write_run(tmp_path / "run", systems)
    build.build(folder)
    found = assemble(folder)
    cell = found.table.cell("capacity_users/streamlit")
    assert cell is not None
    assert cell.short.startswith("10–≤")
    page = (folder / "report/report.html").read_text()
    for text in (
        found.headline,
        printed(found),
        page,
        *((folder / f"report/table.{n}").read_text() for n in ("md", "csv")),
    ):
        assert cell.short in text
    assert page.count('worked-out"') == 1
    assert "A pale bar ends at users that were worked out" in page
    assert "marks an end that was worked out, not observed" in page
    assert any(note.endswith("is worked out, not observed, and marked ≤.") for note in found.notes)
    ratio = next(c for c in found.table.cells if c.id == "capacity_users/django+angular / streamlit")
    assert (ratio.worked_out, "≥" in ratio.short) == ((True, False), True)
    data = json.loads((folder / "report/table.json").read_text())
    marked = {c["id"]: c["worked_out"] for row in data["rows"] for c in row["cells"] if "worked_out" in c}
    assert marked == {cell.id: [False, True], ratio.id: [True, False]}
    rows = csv.DictReader(io.StringIO((folder / "report/table.csv").read_text()))
    flags = {row["id"]: (row["low_worked_out"], row["high_worked_out"]) for row in rows}
    assert {name: flags.pop(name) for name in marked} == {cell.id: ("False", "True"), ratio.id: ("True", "False")}
    assert set(flags.values()) == {("False", "False")}


def test_reading_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, reports, reports.build, reports.verify, reports.pages.terminal, reports.pages.html;"
        "import reports.plots.chat;"
        "heavy = ('pandas', 'matplotlib', 'numpy', 'pyarrow', 'jinja2', 'rich', 'scipy');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
