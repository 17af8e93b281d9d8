"""The log of what was really sent, and when."""

import asyncio
import sys
from pathlib import Path

import orjson

from .answers import Answer

FLUSH_S = 0.25


class EmissionLog:
    """Appends a line of JSON per answer to a file, at most 0.25 s late and in one write per flush.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path | None, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._file = path.open("ab", buffering=0) if path else None
        self._lines: list[bytes] = []

    def add(
        self, answer: Answer, request_s: float, first_s: float, sent_s: list[float], end_s: float, *, finished: bool
    ) -> None:
        """Log an answer that is over: when its first token was due, each was written, and it ended; monotonic times."""
        self._write(
            {
                "tag": answer.tag,
                "request_s": request_s,
                "ttft_s": max(round(first_s - request_s, 6), answer.ttft_s),
                "itl_s": answer.itl_s,
                "tokens": len(answer.tokens),
                "emit_s": [round(t - request_s, 6) for t in sent_s],
                "end_s": round(end_s - request_s, 6),
                "word": answer.word,
                "finished": finished,
                "fault": answer.fault,
            }
        )

    def add_silent(self, tag: str, request_s: float, end_s: float) -> None:
        """Log a call that has no tokens to send, as for an embedding."""
        silent = {"ttft_s": 0.0, "itl_s": 0.0, "tokens": 0, "emit_s": [], "word": "", "finished": True, "fault": None}
        self._write({"tag": tag, "request_s": request_s, "end_s": round(end_s - request_s, 6), **silent})

    def add_refused(self, request_s: float, why: str) -> None:
        """Log a call that was refused; it belongs to no message."""
        none = {"tag": "", "ttft_s": 0.0, "itl_s": 0.0, "tokens": 0, "emit_s": [], "end_s": 0.0, "word": ""}
        self._write({**none, "request_s": request_s, "finished": False, "fault": why})

    def _write(self, record: dict[str, object]) -> None:
        if self._file is None:
            return
        if not self._lines:
            self._loop.call_later(FLUSH_S, self.flush)
        self._lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what is pending; a log that cannot be written ends the server, for a load without it counts nothing."""
        if self._file is None or not self._lines:
            return
        pending, self._lines = memoryview(b"".join(self._lines)), []
        try:
            while pending:
                pending = pending[self._file.write(pending) :]
        except OSError as error:
            sys.exit(f"llm: cannot write the log {self._file.name}: {error}; free some space or choose another --log")

    def close(self) -> None:
        """Write what is pending and close the file."""
        self.flush()
        if self._file is not None:
            self._file.close()
