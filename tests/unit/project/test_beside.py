"""Tests run beside each other and each of them once; one marked ``alone`` runs while no other does."""

from collections import Counter
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
    with (Path(__file__).parent / "ran").open("a") as ran:
        ran.write(f"{request.node.name.partition('@')[0]} {begun_s} {time.monotonic()}\\n")

@pytest.mark.alone
@pytest.mark.timeout(1)  # waiting for the others is not on its own time
@pytest.mark.parametrize("number", range(2))
def test_alone(number): time.sleep(0.1)

@pytest.mark.xdist_group("other")
def test_other_group(): time.sleep(1.5)

@pytest.mark.parametrize("number", range(3))
def test_beside(number): time.sleep(0.1)
"""


def ran(folder: Path) -> dict[str, tuple[float, float]]:
    """Return when each test began and ended; all of them ran once."""
    lines = [line.split() for line in (folder / "ran").read_text().splitlines()]
    assert set(Counter(name for name, _, _ in lines).values()) == {1}
    return {name: (float(begun_s), float(ended_s)) for name, begun_s, ended_s in lines}


def test_every_test_runs_once_and_nothing_runs_beside_one_alone(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(pytester.path))
    pytester.makeini(f"[pytest]\nmarkers = alone\naddopts = {conftest.LIGHT}\n")
    pytester.makeconftest(Path(conftest.__file__).read_text(encoding="utf-8"))
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_inprocess("-n2", "--dist=loadgroup", "--no-loadscope-reorder")
    assert done.parseoutcomes() == {"passed": 6}
    times = ran(pytester.path)
    assert len(times) == 6
    alone = {name for name in times if name.startswith("test_alone")}
    assert len(alone) == 2
    for name in alone:
        begun_s, ended_s = times.pop(name)
        assert all(
            other_ended_s <= begun_s or other_begun_s >= ended_s for other_begun_s, other_ended_s in times.values()
        )
    assert not list(pytester.path.glob("chatbench-test-turn-*"))
