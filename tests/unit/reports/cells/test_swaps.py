"""What the table says of parts that swap: counted from the run's matrix, found again by ``verify`` from its steps."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import results
from harness.records import Finding, SwapMatrix, SwappedPair
from reports import build
from reports.content.report import assemble
from reports.verify import verify
from tests.doubles import results_run

CELL = "maintenance.swap/django+angular"
PARTS = (
    {"name": "django", "title": "Django", "package": "django", "version": "5.2"},
    {"name": "angular", "title": "Angular", "package": "@angular/core", "version": "22"},
)


def pair(name: str, failed: str | None = None, tried: bool = True) -> SwappedPair:
    api, web = name.split("+")
    lines = ["sign in: ok, 1.00 s", f"rename: {'FAILED: ' + failed if failed else 'ok'}, 0.20 s"] if tried else []
    finding = Finding(
        topic="maintenance",
        name=f"swap-{results.slug(name)}",
        title=f"{name}: a way",
        outcome="not measured" if not tried else "failed" if failed else "passed",
        exercised=len(lines),
        passed=len(lines) - bool(failed),
        text=f"rename: {failed}" if failed else "works end to end" if tried else "not made ready: npm is ill",
        details=tuple(lines),
    )
    return SwappedPair(api=api, web=web, parts=PARTS, duration_s=5.0, finding=finding)


def matrix(*pairs: SwappedPair, note: str | None = None) -> SwapMatrix:
    return SwapMatrix(made_at="2026-11-25T00:00:00+00:00", browser="Chromium 1", duration_s=9.0, pairs=pairs, note=note)


ALL = tuple(pair(f"{api}+{web}") for api in ("django", "fastapi", "flask") for web in ("angular", "react", "vue"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = results_run.write_run(tmp_path_factory.mktemp("swapped") / "run", results_run.SMALL)
    record = results.read_run(folder)
    targets = dict(record.targets)
    targets["django+angular"] = replace(targets["django+angular"], parts=PARTS)
    results.write_run(folder, replace(record, targets=targets))
    return folder


@pytest.fixture
def run(bare: Path, tmp_path: Path) -> Callable[[SwapMatrix | None], Path]:
    """Return a function that makes a run with this matrix, and its report."""

    def made(found: SwapMatrix | None) -> Path:
        folder = Path(shutil.copytree(bare, tmp_path / "run"))
        if found:
            results.write_swap(folder, found)
        build.build(folder)
        return folder

    return made


def text(folder: Path, cell: str = CELL) -> tuple[str, str, float | None]:
    found = assemble(folder).table.cell(cell)
    assert found is not None
    return found.text, found.verdict, found.value


CASES: dict[str, tuple[SwapMatrix | None, tuple[str, str, float | None]]] = {
    "all work": (
        matrix(*ALL),
        (
            "9 of 9 pairs of 3 APIs and 3 front ends work end to end; with a part of this target 5 of 5",
            "passed",
            1.0,
        ),
    ),
    "one fails": (
        matrix(*ALL[:1], pair("flask+vue", "no such button")),
        (
            "1 of 2 pairs of 2 APIs and 2 front ends work end to end; with a part of this target 1 of 1; "
            "flask+vue fails to rename: no such button",
            "failed",
            0.5,
        ),
    ),
    "one could not be tried": (
        matrix(*ALL[:1], pair("django+vue", tried=False)),
        (
            "1 of 1 pairs of 1 API and 1 front end work end to end; with a part of this target 1 of 1; "
            "1 could not be tried",
            "passed",
            1.0,
        ),
    ),
    "none could be tried": (
        matrix(pair("django+vue", tried=False)),
        ("not measured: not made ready: npm is ill; `chatbench swap --run` does", "not measured", None),
    ),
    "no browser": (
        matrix(note="this machine has no Chromium"),
        ("not measured: this machine has no Chromium; `chatbench swap --run` does", "not measured", None),
    ),
    "never tried": (
        None,
        ("not measured: no pair was tried; `chatbench swap --run` does", "not measured", None),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cell_says_what_was_found_and_verify_finds_it_again(
    case: str, run: Callable[[SwapMatrix | None], Path]
) -> None:
    found, said = CASES[case]
    folder = run(found)
    assert text(folder) == said
    assert text(folder, "maintenance.swap/streamlit") == ("one part: nothing to swap", "measured", 0.0)
    assert [str(one) for one in verify(folder)] == []


def test_the_cell_leads_to_its_evidence(run: Callable[[SwapMatrix | None], Path]) -> None:
    folder = run(matrix(*ALL))
    found = assemble(folder).table.cell(CELL)
    assert found is not None
    assert found.evidence == "swap/swap.json"
    assert (folder / found.evidence).exists()


def change(path: Path, act: Callable[[Any], object]) -> None:
    data = json.loads(path.read_text())
    act(data)
    path.write_text(json.dumps(data))


def fail_a_step(data: Any) -> None:
    data["pairs"][3]["finding"]["details"] = ("sign in: ok, 1.00 s", "rename: FAILED: no, 0.20 s")


def lose_a_pair(data: Any) -> None:
    del data["pairs"][8]


def deny_a_step(data: Any) -> None:
    data["pairs"][3]["finding"]["details"] = ("sign in: ok, 1.00 s",)


def turn_a_verdict(data: Any) -> None:
    data["pairs"][3]["finding"]["outcome"] = "failed"


@pytest.mark.parametrize("act", [fail_a_step, lose_a_pair, deny_a_step, turn_a_verdict])
def test_evidence_that_was_changed_is_named(
    act: Callable[[Any], None], run: Callable[[SwapMatrix | None], Path]
) -> None:
    folder = run(matrix(*ALL))
    change(folder / "swap" / "swap.json", act)
    assert {one.figure for one in verify(folder)} & {CELL, "swap-fastapi-angular"}


def test_a_cell_that_was_changed_is_named(run: Callable[[SwapMatrix | None], Path]) -> None:
    folder = run(matrix(*ALL[:8]))

    def better(data: Any) -> None:
        cell = next(one for row in data["rows"] for one in row["cells"] if one["id"] == CELL)
        cell["text"] = cell["text"].replace("8 of 8", "9 of 9")

    change(folder / "report" / "table.json", better)
    assert [one.figure for one in verify(folder)] == [CELL]


def test_evidence_that_cannot_be_read_is_named(run: Callable[[SwapMatrix | None], Path]) -> None:
    folder = run(matrix(*ALL))
    (folder / "swap" / "swap.json").write_text("{")
    assert "swap/swap.json" in {one.place for one in verify(folder)}


def test_parts_are_told_by_name(run: Callable[[Sequence[SwappedPair] | None], Path]) -> None:
    folder = run(matrix(*(one for one in ALL if one.api == "flask")))  # type: ignore[arg-type]
    assert "3 of 3 pairs of 1 API and 3 front ends" in text(folder)[0]
    assert "with a part of this target 1 of 1" in text(folder)[0]
