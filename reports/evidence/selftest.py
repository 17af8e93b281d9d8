"""The harness's own error, as the machine's last self-test before a run showed it."""

from harness.records import SelfTest
from reports.numbers import as_text, significant

NEVER = "none of this machine by this version: chatbench selftest"
TOLD = ("TTFT, p99 of its error", "lateness, p99 of its error")  # what the SLO's thresholds rest on


def in_words(found: SelfTest | None) -> str:
    """Return the last self-test in one line: when, its largest errors, what failed."""
    if found is None:
        return NEVER
    said = [f"{'passed' if found.passed else 'FAILED'} on {found.created_at[:10]}"]
    for one in found.quantities:
        if one.name.endswith(TOLD) and one.error is not None:
            said.append(f"{one.name} {as_text(one.error, 's')}")
        elif one.unit == "users" and one.measured is not None and one.true is not None:
            said.append(f"{one.name} {significant(one.measured)} where {significant(one.true)} users is true")
    failed = _failed(found)
    return "; ".join([*said, *([f"failed: {failed}"] if failed else [])])


def note(found: SelfTest | None) -> str | None:
    """Return what a reader has to keep in mind; None where the self-test passed or there was none."""
    if found is None or found.passed:
        return None
    failed = _failed(found)
    if not failed:
        return "The machine's last self-test measured nothing: the harness's own error is unknown."
    return f"The machine's last self-test failed on {failed}. There the harness's own error is larger than allowed."


def _failed(found: SelfTest) -> str:
    return ", ".join(one.name for one in found.quantities if one.outcome == "failed")
