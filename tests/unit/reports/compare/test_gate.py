"""The gate's answer as CI reads it: JUnit XML, a Markdown summary, JSON; everything from outside is escaped."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.analysis.gate import Decision, Pair, judged, ratio_of
from reports.compare import gate

PAIRS = tuple(Pair(batch=b, base=0.020, head=0.024 + 0.0001 * n) for b in (1, 2) for n in range(3))


def facts(outcome, **changes) -> gate.Gate:
    decision = Decision(
        outcome=outcome,
        why="more than 5% above base, in both batches",
        margin=0.05,
        batches=tuple(judged(n, [p for p in PAIRS if p.batch == n], 0.05) for n in (1, 2)),
        ratio=ratio_of(PAIRS),
    )
    known = gate.Gate(
        target="streamlit",
        base="main (0123456789ab)",
        head="working tree",
        users=20,
        decision=decision,
        pairs=PAIRS,
        false_alarm_ratio=0.001,
    )
    return replace(known, **changes)


def read(xml: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(xml)  # noqa: S314  # our own


@pytest.mark.parametrize(
    ("outcome", "failures", "errors", "tag"),
    [("passed", "0", "0", None), ("failed", "1", "0", "failure"), ("inconclusive", "0", "1", "error")],
)
def test_junit_tells_a_failure_from_an_error(outcome: str, failures: str, errors: str, tag: str | None) -> None:
    suite = read(gate.to_junit(facts(outcome)))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", failures, errors)
    case = suite.find("testcase")
    assert case is not None
    assert [child.tag for child in case if child.tag != "system-out"] == ([tag] if tag else [])


def test_the_summary_names_every_pair_and_both_batches() -> None:
    text = gate.to_markdown(facts("failed"))
    assert text.startswith("### chatbench gate: failed: streamlit at 20 users")
    assert "| batch 1 | 3 |" in text
    assert "| batch 2 | 3 |" in text
    assert text.count("20 ms") >= len(PAIRS)
    assert "0.1% failed" in text


def test_a_base_that_moved_on_is_told_where_the_answer_is_read() -> None:
    remark = "base changed the target after head parted from it: to judge head alone, name 0123456789ab"
    moved = facts("failed", remarks=(remark,))
    assert f"Note: {remark}." in gate.to_markdown(moved)
    assert remark in (read(gate.to_junit(moved)).findtext("testcase/system-out") or "")
    assert "Note:" not in gate.to_markdown(facts("failed"))


def test_a_revision_with_markup_in_its_name_cannot_break_the_files() -> None:
    hostile = facts("failed", head="a|b</testcase><script>alert(1)</script>")
    suite = read(gate.to_junit(hostile))
    assert len(list(suite)) == 1
    assert "<script>" not in gate.to_markdown(hostile)


@pytest.mark.parametrize("foreign", ["\x1b", "\x00", "\x0b", "\ud800", "\ufffe"])
def test_characters_that_xml_cannot_hold_are_left_out_of_junit(foreign: str) -> None:
    lost = Pair(batch=1, base=None, head=0.02, invalid=f"the target said {foreign}[31mred")
    hostile = facts("failed", target=f"stream{foreign}lit", pairs=(lost,))
    hostile = replace(hostile, decision=replace(hostile.decision, why=f"why{foreign}ever\t1"))
    case = read(gate.to_junit(hostile)).find("testcase")
    assert case is not None
    assert case.get("name") == "streamlit: CPU time per turn"
    assert "whyever" in (case[0].get("message") or "")
    assert "the target said [31mred" in (case.findtext("system-out") or "").replace("\\", "")


def test_invalid_pairs_and_missed_slos_are_said() -> None:
    lost = Pair(batch=1, base=None, head=0.02)
    missed = Pair(batch=1, base=0.02, head=0.02, head_failed=True)
    text = gate.to_markdown(facts("inconclusive", pairs=(lost, missed), false_alarm_ratio=None))
    assert "invalid" in text
    assert "SLO missed" in text
    assert "not measured" in text


def test_three_files_are_written(tmp_path: Path) -> None:
    written = gate.write(facts("passed"), tmp_path / "report")
    assert [path.name for path in written] == ["gate.md", "gate.xml", "gate.json"]
    data = json.loads(written[2].read_text())
    assert data["decision"]["outcome"] == "passed"
    assert len(data["pairs"]) == len(PAIRS)
