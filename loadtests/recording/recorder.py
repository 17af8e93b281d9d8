"""The files of a trial: a cheap note as each turn ends, the finished records after the trial."""

import os
import time
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any, Self

import orjson

from harness.records import GeneratorSummary, Outcome, Turn, to_json
from loadtests.reading import AnswerTrace
from loadtests.recording.pending_turn import PendingTurn, turn_of

_AT_ONCE = 32  # notes written together: some tenths of a millisecond without a time stamp
_AT_MOST_S = 0.5  # from a turn's end to its note
_FILES_KEPT = 4


def note_of(
    turn: PendingTurn, trace: AnswerTrace, outcome: Outcome, kind: str | None, error: str | None
) -> dict[str, Any]:
    """Return the fields that a turn's record is made of later, together with the trace's raw bytes."""
    return {
        "user": turn.user,
        "conversation": turn.conversation,
        "turn": turn.turn,
        "tag": turn.tag,
        "nonce": turn.nonce,
        "phase": turn.phase,
        "intended_s": turn.intended_s,
        "sent_s": trace.sent_s,
        "done_s": trace.done_s,
        "ready_s": trace.ready_s,
        "outcome": outcome,
        "error_kind": kind,
        "error": error,
        **trace.note(),
    }


def live_line(turn: PendingTurn, trace: AnswerTrace, outcome: Outcome) -> dict[str, Any]:
    """Return what a running trial tells of a turn that has ended."""
    return {
        "tag": turn.tag,
        "phase": turn.phase,
        "sent_s": trace.sent_s,
        "ttft_s": None if trace.first_s is None else trace.first_s - trace.sent_s,
        "stall_s": _longest_gap_s(trace),
        "done_s": trace.done_s,
        "ok": outcome == "ok",
    }


def _longest_gap_s(trace: AnswerTrace) -> float | None:
    """Return the longest gap between reads from the answer's first token on.

    Only reads before that of the protocol's end: waiting for that is no stall of the answer.
    """
    if trace.first_s is None:
        return None
    until_s = inf if trace.done_s is None else trace.done_s
    times = [at_s for at_s in trace.times if trace.first_s <= at_s < until_s]
    return max((b - a for a, b in pairwise(times)), default=None)


class Recorder:
    """The files of one trial in ``output``: ``live.jsonl`` while it runs, ``turns.jsonl`` and ``generator.json`` after.

    Raw reads go to a spool on disk, so that neither parsing nor memory grows with the load. ``suffix`` keeps the files
    of several generator processes apart (``turns-0.jsonl``).
    """

    def __init__(self, output: Path, suffix: str = "") -> None:
        output.mkdir(parents=True, exist_ok=True)
        self._turns_path = output / f"turns{suffix}.jsonl"
        self._summary_path = output / f"generator{suffix}.json"
        self._spool_path = output / f"turns{suffix}.spool"
        self._live = (output / f"live{suffix}.jsonl").open("wb", buffering=0)
        self._spool = self._spool_path.open("w+b", buffering=1 << 20)
        # users may take every file that this process may open: some are kept back for the records of that
        self._reserve = [Path(os.devnull).open("rb") for _ in range(_FILES_KEPT)]  # noqa: SIM115  # closed by name
        self._kept: list[tuple[PendingTurn, AnswerTrace, Outcome, str | None, str | None]] = []
        self._kept_since_s = 0.0
        self.errors = 0
        self.written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that are written while the trial runs."""
        for file in (self._live, self._spool, *self._reserve):
            file.close()

    def note(
        self, turn: PendingTurn, trace: AnswerTrace, outcome: Outcome, kind: str | None, error: str | None
    ) -> None:
        """Keep a turn that has ended; its trace must not change any more once its note is written."""
        if not self._kept:
            self._kept_since_s = time.monotonic()
        self._kept.append((turn, trace, outcome, kind, error))
        if len(self._kept) >= _AT_ONCE:
            self.write_notes()

    def write_old_notes(self, now_s: float) -> None:
        """Write the notes of turns kept for half a second or longer."""
        if now_s - self._kept_since_s >= _AT_MOST_S:
            self.write_notes()

    def write_notes(self) -> None:
        """Write the notes of all turns kept; several together, since most of a single note's cost is cold caches."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        lines = []
        for turn, trace, outcome, kind, error in kept:
            raw = trace.raw()
            header = orjson.dumps(note_of(turn, trace, outcome, kind, error) | {"raw_bytes": len(raw)})
            self._spool.write(header + b"\n" + raw)
            lines.append(orjson.dumps(live_line(turn, trace, outcome), option=orjson.OPT_APPEND_NEWLINE))
        self._live.write(b"".join(lines))

    def write_turns(self) -> None:
        """Turn the spool into ``turns.jsonl``, a line per turn in the order of their ends."""
        self.write_notes()
        for file in self._reserve:
            file.close()
        self._spool.seek(0)
        partial = self._turns_path.with_suffix(".partial")
        with partial.open("wb") as lines:
            while header := self._spool.readline():
                note = orjson.loads(header)
                turn = self._turn(note, self._spool.read(note["raw_bytes"]))
                lines.write(orjson.dumps(to_json(turn)) + b"\n")
                self.written += 1
        partial.replace(self._turns_path)

    def _turn(self, note: dict[str, Any], raw: bytes) -> Turn:
        try:
            return turn_of(note, raw)
        except Exception as error:  # noqa: BLE001  # one unreadable turn must not cost the others; it is counted
            self.errors += 1
            names = ("user", "conversation", "turn", "tag", "phase", "intended_s", "sent_s", "done_s", "ready_s")
            known = {name: note[name] for name in names}
            return Turn(**known, outcome="failed", error_kind="application", error=f"recorder: {error!r}"[:200])

    def write_summary(self, summary: GeneratorSummary) -> None:
        """Write ``generator.json``; its presence shows that all other files are complete."""
        partial = self._summary_path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(to_json(summary), option=orjson.OPT_INDENT_2))
        partial.replace(self._summary_path)
        self.close()
        self._spool_path.unlink()
