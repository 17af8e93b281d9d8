"""Writes turns down: a cheap note as each ends, the finished records after the trial."""

import time
from pathlib import Path
from typing import Any, Self

import orjson

from harness.records import GeneratorSummary, Outcome, Turn, to_json
from loadtests.reading import Reading
from loadtests.recording.pending_turn import PendingTurn, turn_of

_AT_ONCE = 32  # notes written together: some tenths of a millisecond in which no read can be stamped
_AT_MOST_S = 0.5  # that a note is kept before it is written


def note_of(
    turn: PendingTurn, reading: Reading, outcome: Outcome, kind: str | None, error: str | None
) -> dict[str, Any]:
    """Return what is needed to write a turn's record later; its raw bytes are kept beside it."""
    raw_reads = reading.stream_format is not None
    return {
        "user": turn.user,
        "conversation": turn.conversation,
        "turn": turn.turn,
        "tag": turn.tag,
        "nonce": turn.nonce,
        "phase": turn.phase,
        "intended_s": turn.intended_s,
        "sent_s": reading.sent_s,
        "done_s": reading.done_s,
        "ready_s": reading.ready_s,
        "outcome": outcome,
        "error_kind": kind,
        "error": error,
        "stream_format": reading.stream_format,
        "finished": reading.finished,
        "updates": reading.updates,
        "wire_bytes": sum(map(len, reading.parts)) if raw_reads else reading.wire_bytes,
        "times": reading.times,
        "sizes": [len(part) for part in reading.parts] if raw_reads else reading.chars,
    }


def raw_of(reading: Reading) -> bytes:
    """Return the bytes kept beside a turn's note."""
    return b"".join(reading.parts) if reading.stream_format else reading.text.encode()


def _live_line(turn: PendingTurn, reading: Reading, outcome: Outcome) -> dict[str, Any]:
    return {
        "tag": turn.tag,
        "phase": turn.phase,
        "sent_s": reading.sent_s,
        "ttft_s": None if reading.first_s is None else reading.first_s - reading.sent_s,
        "done_s": reading.done_s,
        "ok": outcome == "ok",
    }


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
        self._kept: list[tuple[PendingTurn, Reading, Outcome, str | None, str | None]] = []
        self._kept_since_s = 0.0
        self.errors = 0
        self.written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files that are written while the trial runs."""
        self._live.close()
        self._spool.close()

    def note(self, turn: PendingTurn, reading: Reading, outcome: Outcome, kind: str | None, error: str | None) -> None:
        """Keep a turn that has ended; what it read must not change any more once its note is written."""
        if not self._kept:
            self._kept_since_s = time.monotonic()
        self._kept.append((turn, reading, outcome, kind, error))
        if len(self._kept) >= _AT_ONCE:
            self.write_notes()

    def write_old_notes(self, now_s: float) -> None:
        """Write what was kept for half a second or longer."""
        if now_s - self._kept_since_s >= _AT_MOST_S:
            self.write_notes()

    def write_notes(self) -> None:
        """Write what was kept since; several together, since most of a single note's cost is cold caches."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        lines = []
        for turn, reading, outcome, kind, error in kept:
            raw = raw_of(reading)
            header = orjson.dumps(note_of(turn, reading, outcome, kind, error) | {"raw_bytes": len(raw)})
            self._spool.write(header + b"\n" + raw)
            lines.append(orjson.dumps(_live_line(turn, reading, outcome), option=orjson.OPT_APPEND_NEWLINE))
        self._live.write(b"".join(lines))

    def write_turns(self) -> None:
        """Turn the spool into ``turns.jsonl``, a line per turn in the order in which they ended."""
        self.write_notes()
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
        """Write ``generator.json``: its presence says that everything else is complete."""
        partial = self._summary_path.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(to_json(summary), option=orjson.OPT_INDENT_2))
        partial.replace(self._summary_path)
        self.close()
        self._spool_path.unlink()
