"""The harness measures servers whose answer is known."""

import argparse
import shutil
import sys

from harness import results, selftest
from harness.cli import REPOSITORY, lookup, output
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.host import machine
from harness.records import SelfTest
from harness.selftest.bench import laboratory

FOLDER = REPOSITORY / ".chatbench" / "selftest"  # samples of the last one, to look at
NAME = 42  # characters
TELLING = ("", "users")  # units of rows whose text says what was found


def run(args: argparse.Namespace) -> int:
    """Run the self-test; exit code 3 where a known quantity was not found within what is allowed."""
    del args
    console = output.console()

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    with machine.one_campaign():
        shutil.rmtree(FOLDER, ignore_errors=True)
        lab = laboratory(REPOSITORY, FOLDER, lookup.runtime("local"), lookup.catalogue(), tell)
        outcome = selftest.run(lab)
    path = results.write_selftest(REPOSITORY, outcome)
    for line in lines(outcome):
        tell(line)
    busy = "unknown" if outcome.foreign_cpu_ratio is None else f"at most {outcome.foreign_cpu_ratio:.0%} of the CPUs"
    tell(f"{outcome.created_at}, {outcome.duration_s:.0f} s; other programs took {busy}")
    console.print(f"kept for reports: {path}", highlight=False, markup=False, soft_wrap=True)
    if outcome.passed:
        return EXIT_DONE
    failed = [one.name for one in outcome.quantities if one.outcome == "failed"]
    print(f"chatbench: {len(failed)} known quantities were not found: {', '.join(failed)}", file=sys.stderr)
    print("  on a busy machine that says how much it disturbs; try again on a quieter one", file=sys.stderr)
    return EXIT_INVALID


def lines(outcome: SelfTest) -> list[str]:
    """Return the comparison as text: a line per quantity, with a second one where there is something to say."""
    shown = [f"{'quantity':<{NAME}} {'true':>14} {'measured':>14} {'error':>12} {'allowed':>12}"]
    for one in outcome.quantities:
        values = [in_words(value, one.unit) for value in (one.true, one.measured, one.error, one.allowed)]
        state = "FAILED" if one.outcome == "failed" else one.outcome
        shown.append(f"{one.name:<{NAME}} {values[0]:>14} {values[1]:>14} {values[2]:>12} {values[3]:>12}  {state}")
        if one.outcome != "ok" or one.unit in TELLING:
            shown.append(f"    {one.text}")
    return shown


def in_words(value: float | None, unit: str) -> str:
    """Return a value for people: times in milliseconds, memory in kibibytes."""
    if value is None:
        return "–"
    scale, name, digits = {"s": (1000.0, "ms", 2), "bytes": (1 / 1024, "KiB", 1), "cores": (1.0, "cores", 3)}.get(
        unit, (1.0, unit, 0 if unit == "turns" else 1)
    )
    return f"{value * scale:,.{digits}f} {name}"
