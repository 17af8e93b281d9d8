"""The report's files: the same numbers everywhere, everything escaped, nothing from outside."""

import csv
import io
import json
import os
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
from harness.results import read_run, write_atomically, write_run
from reports import build
from reports.content.report import Report, assemble
from reports.pages import files, html, terminal
from reports.plots import chat, shipped
from reports.verify.wording import visible_text
from tests import ROOT
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


def test_the_page_runs_nothing_and_asks_only_for_files_beside_it(run: Path) -> None:
    page = (run / "report/report.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "iframe", "object", "form"} & set(tags.tags)
    beside = [link for link in tags.links if not link.startswith(("data:image/svg+xml;base64,", "#"))]
    assert "report.css" in beside
    assert "figures/throughput.svg" in beside
    assert all((run / "report" / link).is_file() for link in beside)
    assert tags.inline == []
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_every_plot_is_inside_the_page_and_beside_it(run: Path) -> None:
    page = (run / "report/report.html").read_text()
    inside, beside = page.count('<img class="inside" src="data:'), page.count('<img class="beside" src="figures/')
    assert inside == beside == len(list((run / "report/figures").glob("*.svg")))


def test_the_style_beside_the_page_is_the_style_inside_but_for_the_copy_of_plots_that_is_shown(run: Path) -> None:
    inside = (run / "report/report.html").read_text().partition("<style>")[2].partition("</style>")[0]
    beside = (run / "report/report.css").read_text()
    assert inside.removesuffix(html.ALONE) == beside.removesuffix(html.BESIDE)
    assert ".beside { display: none; }" in html.ALONE
    assert ".inside { display: none; }" in html.BESIDE


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("(one session; think time 3 s (mean; median 2 s))", "one session; think time 3 s (mean; median 2 s)"),
        ("803 tried once (one session; think time 3 s (mean))", "803 tried once (one session; think time 3 s (mean))"),
        ("(one) and (another)", "(one) and (another)"),
        ("(cut", "(cut"),
        ("", ""),
    ],
)
def test_brackets_of_a_cards_text_stay_in_pairs(text: str, inner: str) -> None:
    assert html.unwrapped(text) == inner


def test_every_card_has_its_brackets_in_pairs(run: Path, tmp_path: Path) -> None:
    systems = [replace(one, spare_cpus=False) for one in results_run.SMALL]
    for folder in (run, results_run.write_run(tmp_path / "shared", systems)):
        for card in html._cards(assemble(folder)):
            assert card["under"].count("(") == card["under"].count(")"), card


def test_a_plot_that_fails_is_told_and_costs_no_other(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no <such> style")

    copy = shutil.copytree(run, tmp_path / "run dir")
    shutil.rmtree(copy / "report")
    monkeypatch.setattr(chat, "_throughput", fails)
    with pytest.raises(BenchError) as raised:
        build.build(copy)
    assert raised.value.message == "the report lacks 1 part(s): the plot throughput (ValueError: no <such> style)"
    assert raised.value.hint.endswith(f"chatbench report '{copy}'")
    page = visible_text((copy / "report/report.html").read_text())
    assert "This plot could not be drawn: ValueError: no <such> style." in page
    assert (copy / "report/figures/latency-against-users.svg").is_file()
    assert {path.name for path in (copy / "report").glob("table.*")} == {"table.md", "table.json", "table.csv"}


def test_a_matplotlib_that_does_not_load_costs_the_plots_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise ImportError("libstdc++.so.6: cannot open shared object file")

    copy = shutil.copytree(run, tmp_path / "run")
    monkeypatch.setattr(shipped, "_import_untouched", fails)
    with pytest.raises(BenchError, match=r"the plot figures \(ImportError: libstdc"):
        build.build(copy)
    assert "This plot could not be drawn: ImportError" in visible_text((copy / "report/report.html").read_text())


def test_a_full_disk_loses_the_parts_that_it_took_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.suffix in (".csv", ".html"):
            raise OSError(28, "No space left on device", str(path))
        write_atomically(path, data)

    copy = shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(copy / "report")
    monkeypatch.setattr(build, "write_atomically", full)
    with pytest.raises(BenchError) as raised:
        build.build(copy)
    assert raised.value.message.startswith("the report lacks 2 part(s): table.csv (OSError: ")
    assert "all samples are kept" in raised.value.hint
    assert {"table.md", "table.json"} <= {path.name for path in (copy / "report").iterdir()}


SETTINGS = "text.usetex: True\nlines.linewidth: 9\naxes.formatter.use_locale: True\nsvg.fonttype: none\n"


@pytest.mark.parametrize("broken", [False, True], ids=["read", "unreadable"])
def test_a_persons_settings_reach_no_plot(run: Path, tmp_path: Path, broken: bool) -> None:
    """In a process of its own: its Matplotlib is imported where the settings lie."""
    copy = shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(copy / "report")
    (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe" if broken else SETTINGS.encode())
    (tmp_path / "closed").write_text("no folder")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MPLBACKEND": "nonsense",
        "MPLCONFIGDIR": str(tmp_path / "closed" / "below"),
        "MATPLOTLIBRC": str(tmp_path),
        "NO_COLOR": "1",
        "COLUMNS": "7",
        "TZ": "Asia/Kolkata",
    }
    code = "import sys; from reports.build import build; build(sys.argv[1])"
    words = [sys.executable, "-c", code, str(copy)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for drawn in (run / "report/figures").glob("*.svg"):
        assert (copy / "report/figures" / drawn.name).read_bytes() == drawn.read_bytes(), drawn.name


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


def test_a_command_with_bytes_that_are_no_utf8_costs_no_part(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path, results_run.SMALL)
    write_run(folder, replace(read_run(folder), command=("chatbench", "run", os.fsdecode(b"./caf\xe9"))))
    build.build(folder, formats=("md", "json", "html"))
    for name in ("table.md", "report.html"):
        assert "udce9" in (folder / "report" / name).read_text(encoding="utf-8")


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
