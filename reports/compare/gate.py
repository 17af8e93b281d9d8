"""The gate's answer as a Markdown summary for a job's page, JUnit XML for CI, and JSON."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from harness.analysis.estimate import Mean
from harness.analysis.gate import Decision, Pair
from harness.records import FORMAT_VERSION, to_json
from harness.results import write_atomically, write_json
from reports.numbers import as_text, significant
from reports.pages.files import escape, markdown_table

SUITE = "chatbench gate"
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2: Char


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """All that the gate's report says; ``false_alarm_ratio`` is worked out from its own pairs, None for too few."""

    target: str
    base: str
    head: str
    users: int
    decision: Decision
    pairs: tuple[Pair, ...]
    false_alarm_ratio: float | None
    remarks: tuple[str, ...] = ()  # where base and head differ by more, or by less, than head's own change


def write(gate: Gate, into: Path) -> tuple[Path, ...]:
    """Write ``gate.md``, ``gate.xml`` (JUnit) and ``gate.json`` and return their paths."""
    into.mkdir(parents=True, exist_ok=True)
    markdown, junit, data = (into / f"gate.{ending}" for ending in ("md", "xml", "json"))
    write_atomically(markdown, to_markdown(gate).encode())
    write_atomically(junit, to_junit(gate))
    write_json(data, {"format_version": FORMAT_VERSION} | to_json(gate))
    return markdown, junit, data


def headline(gate: Gate) -> str:
    """Return the answer in one line."""
    return f"{gate.decision.outcome}: {gate.target} at {as_text(gate.users, 'users')}, {gate.decision.why}"


def to_markdown(gate: Gate) -> str:
    """Return the summary for a job's page."""
    rows: list[tuple[str, ...]] = [
        (f"batch {batch.number}", str(_whole(gate.pairs, batch.number)), _ratio(batch.ratio), batch.finding)
        for batch in gate.decision.batches
    ]
    rows.append(("all", str(_whole(gate.pairs)), _ratio(gate.decision.ratio), ""))
    parts = [
        f"### chatbench gate: {escape(headline(gate))}",
        f"CPU time per turn, {escape(gate.head)} over {escape(gate.base)}; the margin is {gate.decision.margin:.0%}.",
        *(f"Note: {escape(remark)}." for remark in gate.remarks),
        markdown_table(("", "whole pairs", "head ÷ base (95 % interval)", "against the margin"), rows),
        markdown_table(
            ("pair", "base", "head", "head ÷ base"), [_row(n, pair) for n, pair in enumerate(gate.pairs, start=1)]
        ),
        _alarms(gate.false_alarm_ratio),
    ]
    return "\n\n".join(parts) + "\n"


def _alarms(ratio: float | None) -> str:
    if ratio is None:
        return "False alarms: not measured, too few whole pairs."
    return (
        f"False alarms: of 2,000 gates made of these pairs with base and head exchanged at random, {ratio:.1%} failed. "
        "Where false alarms would be common, the machine is too noisy for this margin."
    )


def _whole(pairs: Sequence[Pair], batch: int | None = None) -> int:
    return sum(bool(p.base and p.head) for p in pairs if batch in (None, p.batch))


def _ratio(found: Mean | None) -> str:
    if found is None:
        return "not measured"
    return f"{significant(found.value, 4)} ({significant(found.low, 4)}–{significant(found.high, 4)})"


def _row(number: int, pair: Pair) -> tuple[str, str, str, str]:
    texts = ["invalid" if v is None else as_text(v, "s") for v in (pair.base, pair.head)]
    quotient = significant(pair.head / pair.base, 4) if pair.base and pair.head else ""
    failed = [f"{text}, SLO missed" if bad else text for text, bad in zip(texts, _failed(pair), strict=True)]
    return str(number), failed[0], failed[1], quotient or f"left out: {pair.invalid}"


def _failed(pair: Pair) -> tuple[bool, bool]:
    return pair.base_failed, pair.head_failed


def to_junit(gate: Gate) -> bytes:
    """Return one test case in the JUnit XML that CI systems read: a failure, an error (inconclusive), or neither."""
    outcome = gate.decision.outcome
    suite = ElementTree.Element(
        "testsuite",
        name=SUITE,
        tests="1",
        failures=str(int(outcome == "failed")),
        errors=str(int(outcome == "inconclusive")),
        skipped="0",
    )
    case = ElementTree.SubElement(
        suite, "testcase", classname=SUITE, name=_sayable(f"{gate.target}: CPU time per turn")
    )
    if outcome != "passed":
        tag = "failure" if outcome == "failed" else "error"
        ElementTree.SubElement(case, tag, message=_sayable(headline(gate)), type=outcome).text = _sayable(
            to_markdown(gate)
        )
    ElementTree.SubElement(case, "system-out").text = _sayable(to_markdown(gate))
    written: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return written


def _sayable(text: str) -> str:
    """Leave out what no XML 1.0 document may hold, escaped or not: a program's own words may have brought it."""
    return NOT_XML.sub("", text)
