"""Tests run beside each other and each of them once; one marked ``alone`` runs while no other does."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import conftest

pytest_plugins = ["pytester"]

#: each test notes when it ran, in a folder that all workers share
TESTS = """
import time
from pathlib import Path
import pytest

@pytest.fixture(autouse=True)
def note(request):
    begun_s = time.monotonic()
    yield
    worker = request.config.workerinput["workerid"]
    with (Path(__file__).parent / "ran").open("a") as ran:
        ran.write(f"{request.node.name} {worker} {begun_s} {time.monotonic()}\\n")

@pytest.mark.alone
@pytest.mark.timeout(1)  # waiting for the others is not on its own time
@pytest.mark.parametrize("number", range(2))
def test_alone(number): time.sleep(0.1)

@pytest.mark.xdist_group("other")
def test_other_group(): time.sleep(1.5)

@pytest.mark.parametrize("number", range(6))
def test_together(number): time.sleep(0.1)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """When and where a test ran."""

    name: str
    worker: str
    begun_s: float
    ended_s: float


def ran(folder: Path) -> list[Ran]:
    """Return what the tests noted."""
    lines = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return [Ran(name, worker, float(begun_s), float(ended_s)) for name, worker, begun_s, ended_s in lines]


def test_groups_stay_together_and_nothing_runs_beside_a_test_alone(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(pytester.path))
    pytester.makeini(f"[pytest]\nmarkers =\n    alone\n    docker\n    spread\naddopts = {conftest.LIGHT}\n")
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile(TESTS)
    assert pytester.runpytest_inprocess("-n2").parseoutcomes() == {"passed": 9}
    everything = ran(pytester.path)
    assert len({one.name for one in everything}) == len(everything) == 9
    together = {one.worker for one in everything if one.name.startswith("test_together")}
    assert len(together) == 1
    assert {one.worker for one in everything if one.name == "test_other_group"}.isdisjoint(together)
    alone = [one for one in everything if one.name.startswith("test_alone")]
    assert len(alone) == 2
    for one in alone:
        others = [other for other in everything if other is not one]
        assert all(other.ended_s <= one.begun_s or other.begun_s >= one.ended_s for other in others)
    assert not list(pytester.path.glob("chatbench-tests-*"))
