"""Garbage collection in the processes as they are served: tuned as each build says, Python's own where it is plain."""

import gc
import json
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.host import procfs
from harness.runtimes import serving
from harness.runtimes.local import LocalRuntime
from harness.targets import Target
from tests import ROOT
from tests.e2e.conftest import ANSWER, CATALOGUE, SEED

#: every Python process of a part imports this first; at a signal it writes down how it collects
TELL = """
import gc, json, os, signal, sys
def tell(number, frame):
    path = os.path.join(os.path.dirname(__file__), f"{os.getpid()}")
    with open(path, "w") as file:
        streamlit = sys.modules.get("streamlit.config")
        after_runs = streamlit and streamlit.get_option("runner.postScriptGC")
        told = {"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold(), "after_runs": after_runs}
        json.dump(told, file)
    os.rename(path, path + ".json")
signal.signal(signal.SIGRTMAX, tell)
"""
PATIENCE_S = 120
ONE_OF_EACH = ("django+angular", "fastapi+react", "flask+vue", "django-templates")
PLAIN = [name for name in CATALOGUE.covering() if ":plain" in name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How one process collects garbage."""

    frozen: int
    threshold: list[int]
    after_runs: bool | None  # a full collection after every run of a script; None: not Streamlit


def served(name: str, folder: Path, tuned: int = 0) -> list[Collecting]:
    """Serve a target; return what each Python process of its backend says, once so many of them are tuned."""
    (folder / "sitecustomize.py").write_text(TELL, encoding="utf-8")
    target = CATALOGUE.target(name)
    backend, *others = target.parts
    local = replace(backend.local, env={**backend.local.env, "PYTHONPATH": str(folder)})
    runtime = LocalRuntime()
    told = Target(name=target.name, parts=(replace(backend, local=local), *others))
    prepared = runtime.prepare(told, CATALOGUE, ROOT, SEED, print)
    with serving.serving(runtime, prepared, ANSWER, folder / "served"):
        deadline_s = time.monotonic() + PATIENCE_S
        # a target is ready with its first process; the others may still be starting
        while not (told_by := ask(folder, tuned)) and time.monotonic() < deadline_s:
            time.sleep(0.2)
    runtime.close()
    return told_by


def ask(folder: Path, tuned: int) -> list[Collecting]:
    """Return what the Python processes of a target say; nothing while one is silent or too few are tuned."""
    asked = [one.pid for one in procfs.every_process() if listens(one.pid, folder)]
    for pid in asked:
        (folder / f"{pid}.json").unlink(missing_ok=True)
        os.kill(pid, signal.SIGRTMAX)
    time.sleep(0.3)
    files = [folder / f"{pid}.json" for pid in asked]
    if not asked or not all(file.is_file() for file in files):
        return []
    told = [Collecting(**json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return told if sum(one.frozen > 0 for one in told) >= tuned else []


def listens(pid: int, folder: Path) -> bool:
    """Tell whether a process is one that tells at the signal; any other one would end of it."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    caught = status.partition("SigCgt:")[2].split(maxsplit=1)[0]
    return f"PYTHONPATH={folder}".encode() in environment and bool(int(caught, 16) >> (signal.SIGRTMAX - 1) & 1)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_serving_process_has_frozen_what_it_imported_and_collects_rarely(name: str, tmp_path: Path) -> None:
    count = CATALOGUE.target(name).python_processes
    tuned = [one for one in served(name, tmp_path, count) if one.frozen > 10_000]
    assert [one.threshold for one in tuned] == [[2_000, 10, 100]] * count


def test_streamlit_has_frozen_what_it_imported(tmp_path: Path) -> None:
    processes = served("streamlit", tmp_path, 1)
    assert [(one.frozen > 10_000, one.after_runs) for one in processes] == [(True, False)]


@pytest.mark.long  # nothing freezes there, so that little can break
@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_build_collects_as_python_does(name: str, tmp_path: Path) -> None:
    assert {"streamlit:plain", "django:plain+angular"} <= set(PLAIN)
    processes = served(name, tmp_path)
    assert len(processes) >= CATALOGUE.target(name).python_processes
    assert {one.frozen for one in processes} == {0}
    assert {tuple(one.threshold) for one in processes} == {gc.get_threshold()}
    assert {one.after_runs for one in processes} == {True if name == "streamlit:plain" else None}
