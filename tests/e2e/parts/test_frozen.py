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
import gc, json, os, signal
def tell(number, frame):
    path = os.path.join(os.path.dirname(__file__), f"{os.getpid()}")
    with open(path, "w") as file:
        json.dump({"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold()}, file)
    os.rename(path, path + ".json")
signal.signal(signal.SIGRTMAX, tell)
"""
PATIENCE_S = 20
ONE_OF_EACH = ("django+angular", "fastapi+react", "flask+vue", "django-templates")
PLAIN = [name for name in CATALOGUE.covering() if ":plain" in name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """How one process collects garbage."""

    frozen: int
    threshold: list[int]


def served(name: str, folder: Path) -> tuple[list[Collecting], int]:
    """Serve a target; return what each Python process of its backend says, and how many of them serve."""
    (folder / "sitecustomize.py").write_text(TELL, encoding="utf-8")
    target = CATALOGUE.target(name)
    backend, *others = target.parts
    local = replace(backend.local, env={**backend.local.env, "PYTHONPATH": str(folder)})
    runtime = LocalRuntime()
    told = Target(name=target.name, parts=(replace(backend, local=local), *others))
    prepared = runtime.prepare(told, CATALOGUE, ROOT, SEED, print)
    with serving.serving(runtime, prepared, ANSWER, folder / "served"):
        asked = [one.pid for one in procfs.every_process() if variable(one.pid, "PYTHONPATH") == str(folder)]
        for pid in asked:
            os.kill(pid, signal.SIGRTMAX)
        deadline_s = time.monotonic() + PATIENCE_S
        while len(files := list(folder.glob("*.json"))) < len(asked) and time.monotonic() < deadline_s:
            time.sleep(0.05)
    runtime.close()
    assert len(files) == len(asked), "a process did not tell"
    return [Collecting(**json.loads(file.read_text())) for file in files], target.python_processes


def variable(pid: int, name: str) -> str | None:
    """Return a variable of a process's environment, None where it has none."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None
    return dict(word.partition("=")[::2] for word in words).get(name)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_serving_process_has_frozen_what_it_imported_and_collects_rarely(name: str, tmp_path: Path) -> None:
    processes, serving_ones = served(name, tmp_path)
    tuned = [one for one in processes if one.frozen > 10_000]
    assert len(tuned) == serving_ones
    assert [one.threshold for one in tuned] == [[50_000, 20, 100]] * serving_ones


def test_streamlit_has_frozen_what_it_imported(tmp_path: Path) -> None:
    processes, _ = served("streamlit", tmp_path)
    assert [one.frozen > 10_000 for one in processes] == [True]


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_build_collects_as_python_does(name: str, tmp_path: Path) -> None:
    assert {"streamlit:plain", "django:plain+angular"} <= set(PLAIN)
    processes, _ = served(name, tmp_path)
    assert processes
    assert {one.frozen for one in processes} == {0}
    assert {tuple(one.threshold) for one in processes} == {gc.get_threshold()}
