"""Campaigns of seconds as subprocesses, and what they leave on the machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.host import cgroups, lock
from tests import ROOT

TOY = "tests/e2e/parts/toy"
ENDED_S = 60.0  # seconds are what it takes on an idle machine
PATIENCE_S = 300.0

BRIEF = """
purpose = "a campaign of seconds"
think_s = 0.1
turns_per_conversation = 3
idle = false

[answer]
ttft_s = 0.05
itl_s = 0.01
tokens = 4

[window]
measure_min_s = 0.5
measure_max_s = 2
measure_turns = 6
drain_s = 1

[search]
base_users = 2
repetitions = 1
highest = 2
max_trials = 1
"""

# The command line as a terminal would start it, or a shell in the background: with Ctrl-C ignored only then.
_START = """
import os, resource, signal, sys
largest_file_bytes, background, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
signal.signal(signal.SIGINT, signal.SIG_IGN if background else signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup
if largest_file_bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))
os.execv(program[0], program)
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a finished command said."""

    code: int
    out: str
    err: str


class Command:
    """A started ``chatbench`` command; its output goes to files, so that it never waits for a reader."""

    def __init__(
        self, place: "Place", name: str, words: tuple[str, ...], largest_file_bytes: int, *, background: bool = False
    ) -> None:
        self._out, self._err = place.folder / f"{name}.out", place.folder / f"{name}.err"
        program = [str(Path(sys.executable).with_name("chatbench")), *words]
        own = {"TMPDIR": str(place.temporary), lock.VARIABLE: str(place.temporary)}
        environment = os.environ | own | {"PYTHONDONTWRITEBYTECODE": "1"}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, str(largest_file_bytes), str(int(background)), *program],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def end(self, timeout_s: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        code = self.process.wait(timeout_s)
        return Ended(code, self._out.read_text(), self._err.read_text())


class Place:
    """A results folder and a folder for temporary files of its own: lock and processes are told apart by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir(parents=True)
        self.results = folder / "results"
        self.profile = folder / "brief.toml"
        self.profile.write_text(BRIEF)
        self._started = 0

    @contextmanager
    def command(self, *words: str, largest_file_bytes: int = 0, background: bool = False) -> Iterator[Command]:
        """Start a command; whatever the test does, it has ended afterwards."""
        self._started += 1
        command = Command(self, f"command-{self._started}", words, largest_file_bytes, background=background)
        try:
            yield command
        finally:
            command.process.kill()
            command.process.wait()

    def do(self, *words: str, largest_file_bytes: int = 0) -> Ended:
        """Run a command to its end."""
        with self.command(*words, largest_file_bytes=largest_file_bytes) as command:
            return command.end()

    def measuring(self, target: str) -> tuple[str, ...]:
        """Return the words that begin a campaign."""
        return ("run", target, "--profile", str(self.profile), "--results", str(self.results))

    def run_folder(self) -> Path:
        """Return the only run."""
        (folder,) = self.results.iterdir()
        return folder

    def finished(self) -> dict[Path, bytes]:
        """Return all files of the trials that are complete."""
        folders = [path.parent for path in self.results.glob("*/trials/*/*/*/trial.json")]
        return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}

    def processes(self) -> list[str]:
        """Return the command lines of every living process that this place's commands started, themselves included."""
        mark = str(self.temporary).encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                if mark in (folder / "environ").read_bytes():  # empty for a zombie
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue  # it ended meanwhile, or is somebody else's
        return found

    def groups(self, pid: int) -> list[Path]:
        """Return the control groups that a harness made."""
        hierarchy = cgroups.find()
        above = {folder for name in hierarchy.own for folder in hierarchy.upwards(name)} if hierarchy else set()
        return [group for folder in above for group in folder.glob(f"chatbench-*-{pid}")]

    def left(self, pid: int) -> list[str]:
        """Return everything that a harness started or made outside of its results."""
        scratch = [str(folder) for folder in self.temporary.iterdir() if folder.is_dir()]
        return [*self.processes(), *map(str, self.groups(pid)), *scratch]

    def under_load(self, since: float) -> bool:
        """Tell whether a trial that began after ``since`` (time.time) has answered turns and is not finished."""
        running = [path for path in self.results.glob("*/trials/*/*/*/live.jsonl") if path.stat().st_size]
        return any(path.stat().st_mtime > since for path in running) and any(
            "locustfile" in line for line in self.processes()
        )


def until(true: Callable[[], object], timeout_s: float) -> bool:
    """Wait until something is true; False when it did not become so."""
    deadline_s = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True
