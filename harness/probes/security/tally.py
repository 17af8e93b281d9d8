"""The tally of the tries on a target, and its text."""

from harness.probes.probe import Seen, Try


class Tally:
    """Collects the inputs of one finding."""

    def __init__(self) -> None:
        self.tries: list[Try] = []
        self.table: list[str] = []  # lines shown before those of the inputs
        self._facts: list[str] = []

    def note(self, what: str, expected: str, seen: str, passed: bool, *, control: bool = False) -> bool:
        """Note an input or a control: what was done, what should come of it, what came; return whether it passed."""
        line = f"{what}: {seen}" if passed else f"FAILED {what}: {seen}, expected {expected}"
        self.tries.append(Try(passed=passed, line=line, control=control))
        return passed

    def status(self, what: str, expected: tuple[int, ...], seen: int, *, control: bool = False) -> bool:
        """Note one whose answer is told by its status; 0 is a connection that was lost."""
        words = " or ".join(map(str, expected))
        return self.note(what, words, str(seen) if seen else "connection lost", seen in expected, control=control)

    def same(self, what: str, before: object, after: object) -> bool:
        """Note whether something is as it was: a control."""
        return self.note(
            what, "unchanged", "unchanged" if before == after else "changed", before == after, control=True
        )

    def fact(self, text: str) -> None:
        """Note a sentence that a reader needs beside the counts."""
        self._facts.append(text)

    @property
    def wrong(self) -> int:
        """The number of inputs with another outcome than expected."""
        return sum(not one.passed for one in self.tries if not one.control)

    @property
    def inputs(self) -> int:
        """The number of inputs, without the controls."""
        return sum(not one.control for one in self.tries)

    def seen(self, text: str = "", brief: str = "") -> Seen:
        """Return all of it; what went wrong first, and in the table as ``brief``."""
        wrong = [one for one in self.tries if not one.passed]
        right = [one for one in self.tries if one.passed]
        said = text or (f"{wrong[0].line}." if wrong else "All as they should be.")
        failed = [f"{one.line}." for one in wrong if one.control and f"{one.line}." != said]
        return Seen(
            tries=(*wrong, *right), text=" ".join([said, *failed, *self._facts]), brief=brief, table=tuple(self.table)
        )
