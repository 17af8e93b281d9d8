"""The generator with two counts of its own over the measured window: CPU time in the recorder, WebSocket messages."""

import json
import time
from pathlib import Path
from typing import Any

from loadtests.locustfile import *  # noqa: F403  # what Locust looks for
from loadtests.recording.recorder import Recorder
from loadtests.runner import LoadRun
from loadtests.users.streamlit_session import Session

_counts = {"recorder_s": 0.0, "messages": 0}
_at_start: dict[str, float] = {}
_at_end: dict[str, float] = {}
_note, _write_notes = Recorder.note, Recorder.write_notes
_take, _note_cpu, _finish = Session.take, LoadRun._note_cpu, LoadRun.finish


def note(self: Recorder, *arguments: Any) -> None:
    written_s = _counts["recorder_s"]
    begun_s = time.thread_time()
    _note(self, *arguments)
    _counts["recorder_s"] = written_s + time.thread_time() - begun_s  # with what it may have written itself


def write_notes(self: Recorder) -> None:
    begun_s = time.thread_time()
    _write_notes(self)
    _counts["recorder_s"] += time.thread_time() - begun_s


def take(self: Session, *arguments: Any) -> None:
    _counts["messages"] += 1
    _take(self, *arguments)


def note_cpu(self: LoadRun) -> None:
    """Look at the counts when the trial looks at its CPU time."""
    before = self._cpu_from_s, self._cpu_to_s
    _note_cpu(self)
    if before[0] is None and self._cpu_from_s is not None:
        _at_start.update(_counts)
    if before[1] is None and self._cpu_to_s is not None:
        _at_end.update(_counts)


def finish(self: LoadRun, **arguments: Any) -> None:
    _finish(self, **arguments)
    found = {name: _at_end[name] - _at_start[name] for name in _at_end}
    (Path(self.plan.output) / "counted.json").write_text(json.dumps(found))


Recorder.note, Recorder.write_notes = note, write_notes  # type: ignore[method-assign]
Session.take, LoadRun._note_cpu, LoadRun.finish = take, note_cpu, finish  # type: ignore[method-assign]
