"""The page of results: claims as the example run judged them, by all its trials."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from docs.generate import claims, example
from harness import results
from reports.content.report import Report, assemble
from reports.pages import files
from tests.doubles import results_run
from tests.unit.reports.verify.test_claims import MODELS


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return assemble(results_run.write_run(tmp_path_factory.mktemp("kept") / "run", MODELS))


@pytest.fixture
def kept(report: Report, tmp_path: Path) -> example.Example:
    """Return a run as it is kept in docs/example: its record and its table."""
    (tmp_path / "run.json").write_bytes((report.folder / results.RUN_FILE).read_bytes())
    (tmp_path / "table.json").write_text(files.to_json(report), encoding="utf-8")
    return example._read(tmp_path / "table.json")


def without_basis(claim: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claim.items() if name != "basis"}


def test_claims_are_shown_as_the_run_judged_them_by_all_its_trials(report: Report, kept: example.Example) -> None:
    found = claims.judged(kept)
    assert found == list(report.claims)
    by_id = {one.id: one for one in found}
    assert [one.think_s for one in by_id["few-streamlit-users"].basis if one.tried] == [3.0, 15.0]
    assert {one.quantity for one in by_id["redis-helps"].basis} == {"capacity_ratio", "cpu_ratio", "added_ttft_ratio"}


def test_claims_without_a_basis_are_judged_again_by_the_tables(kept: example.Example) -> None:
    table = kept.table | {"claims": [without_basis(one) for one in kept.table["claims"]]}
    by_id = {one.id: one for one in claims.judged(replace(kept, table=table))}
    assert [one.think_s for one in by_id["few-streamlit-users"].basis if one.tried] == [3.0]
    assert {one.quantity for one in by_id["redis-helps"].basis} == {"capacity_ratio"}
