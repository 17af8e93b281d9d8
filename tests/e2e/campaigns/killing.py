"""Kills campaigns all along their course and resumes them; prints a line of JSON per try.

A process of its own with one thread, so that a campaign is a fork of it: what takes seconds to import is there already.
"""

import functools
import json
import os
import signal
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

# what a campaign imports on its way, before anything is forked
import pandas  # noqa: F401
import scipy.stats  # noqa: F401

from harness import cli
from harness.analysis.speed import REFERENCE_S
from harness.cli import lookup
from harness.host import lock, speed
from harness.records import FixedWork
from harness.trials import trial  # noqa: F401
from reports import build
from reports.pages import terminal  # noqa: F401

TARGETS = ("streamlit", "django+angular")
LIMIT_S, POLL_S = 60, 0.002
PROFILE = """
purpose = "a campaign without processes"
think_s = 3.0
audit = false

[answer]
ttft_s = 0.3
itl_s = 0.02
tokens = 40

[window]
measure_turns = 20

[search]
base_users = 10
precision = 0.5
repetitions = 1
highest = 60
max_trials = 5

[idle]
steps = [0, 50, 100]
hold_s = 1
"""


def campaign(words: Sequence[str], temporary: Path) -> int:
    """Start a command in a fork and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    os.environ[lock.VARIABLE] = str(temporary)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(os.open(temporary / "errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    build.build = functools.partial(build.build, formats=("json", "md", "csv"))  # plots are drawn from the same table
    lookup.RUNTIMES["fake"] = ("tests.doubles.runtime", "FakeRuntime")
    speed.measured = timed
    os._exit(cli.main(words))


def timed(folder: Path, cpus: object) -> FixedWork:
    """Return the same seconds for the same trial every time: one trial in four lies in a slow minute."""
    slow = 1.3 if zlib.crc32("/".join(folder.parts[-3:]).encode()) % 4 == 0 else 1.0
    return FixedWork(seconds={kind: slow * seconds for kind, seconds in REFERENCE_S.items()})


def ended(pid: int) -> int:
    """Wait for a process and return its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def table(results: Path) -> object:
    """Return what a finished run's table says, without what differs between any two runs."""
    (found,) = results.glob("*/report/table.json")
    data = json.loads(found.read_text())
    return {name: data[name] for name in ("columns", "rows", "further", "claims", "bottlenecks", "notes")}


def kept(results: Path) -> int:
    """Return how many trials are complete."""
    return len(list(results.glob("*/trials/*/*/*/trial.json")))


def wait_for(results: Path, trials: float, trial_s: float) -> None:
    """Return once so many trials are complete: its fraction is a share of a trial's usual time."""
    deadline_s = time.monotonic() + LIMIT_S
    while kept(results) < int(trials) and time.monotonic() < deadline_s:
        time.sleep(POLL_S)
    time.sleep((trials - int(trials)) * trial_s)


def tried(folder: Path, kill_after: tuple[float, float] | None) -> dict[str, object]:
    """Run a campaign, killed after so many trials of so many seconds and resumed; return what became of it."""
    folder.mkdir(parents=True)
    profile, results = folder / "profile.toml", folder / "results"
    profile.write_text(PROFILE)
    started_s = time.monotonic()
    words = ("run", *TARGETS, "--profile", str(profile), "--runtime", "fake", "--results", str(results))
    pid = campaign(words, folder)
    killed = False
    if kill_after is not None:
        wait_for(results, *kill_after)
        os.kill(pid, signal.SIGKILL)
    code = ended(pid)
    killed = code == -signal.SIGKILL
    complete = kept(results)
    if killed and complete + len(list(results.glob("*/run.json"))):
        code = ended(campaign(("run", "--resume", "latest", "--results", str(results)), folder))
    elif killed:  # before there was a run to resume
        code = ended(campaign(words, folder))
    return {
        "killed": killed,
        "kept": complete,
        "code": code,
        "took_s": time.monotonic() - started_s,
        "table": table(results),
        "errors": (folder / "errors").read_text(),
    }


def main() -> None:
    """Print an undisturbed try, then so many killed ones at moments spread over its trials."""
    place, tries = Path(sys.argv[1]), int(sys.argv[2])
    whole = tried(place / "whole", None)
    print(json.dumps(whole), flush=True)
    for number in range(tries):
        trials, took_s = int(str(whole["kept"])), float(str(whole["took_s"]))
        kill_after = (trials * (number + 0.5) / tries, took_s / trials)
        print(json.dumps(tried(place / str(number), kill_after)), flush=True)


if __name__ == "__main__":
    main()
