"""Every report carries the machine's last self-test, or says that there is none."""

import json
from dataclasses import replace
from pathlib import Path

from harness import results
from reports.build import build
from reports.evidence import selftest as evidence
from tests.doubles import results_run
from tests.unit.harness.selftest.test_comparing import quantity, selftest


def test_without_one_the_report_says_how_to_run_it() -> None:
    assert evidence.in_words(None) == "none of this machine by this version: chatbench selftest"
    assert evidence.note(None) is None


def test_its_errors_and_its_date_are_said() -> None:
    knee = replace(quantity("ok", "knee sharp"), unit="users", true=12.0, measured=11.5, error=-0.5)
    found = selftest(quantity("ok"), knee)
    words = "passed on 2026-01-02; rest: TTFT, p99 of its error 1.0 ms; knee sharp 11.5 where 12 users is true"
    assert evidence.in_words(found) == words
    assert evidence.note(found) is None


def test_what_it_did_not_find_is_named_and_becomes_a_reservation() -> None:
    found = selftest(quantity("failed"), quantity("ok", "other"))
    assert evidence.in_words(found).startswith("FAILED on 2026-01-02")
    assert "failed on rest: TTFT, p99 of its error" in (evidence.note(found) or "")
    assert "measured nothing" in (evidence.note(selftest()) or "")


def test_every_view_of_a_report_carries_it(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path, [])
    for kept, said in (
        (None, "none of this machine by this version"),
        (selftest(quantity("failed")), "FAILED on 2026-01-02"),
    ):
        results.write_run(folder, replace(results.read_run(folder), selftest=kept))
        build(folder, formats=("md", "json", "html"))
        for name in ("table.md", "table.json", "report.html"):
            assert said in (folder / "report" / name).read_text(encoding="utf-8"), name
    notes = json.loads((folder / "report" / "table.json").read_text(encoding="utf-8"))["notes"]
    assert any("self-test failed on" in note for note in notes)
