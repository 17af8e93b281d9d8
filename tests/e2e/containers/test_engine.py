"""The engine goes away in the middle of a campaign: in peace, and killed."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import EXIT_DONE, EXIT_ERROR, EXIT_INVALID
from harness.runtimes.docker.images import base_image
from tests.e2e.campaigns.bad_days_campaign import ROOT, TOY, Command
from tests.e2e.containers.engine import ContainerPlace, connected, prepared
from tests.e2e.containers.private_engine import PrivateEngine, private_engine

pytestmark = pytest.mark.docker

NOTICED_S = 30.0  # a Compose command that has begun may take this long to give up


@pytest.fixture
def own_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateEngine]:
    """An engine that holds the toy's images, and that commands find instead of this machine's."""
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("docker tests with an engine of their own (run as root, with dockerd installed)")
    wanted = [image.tag for image in prepared("toy").images.values()]
    with connected() as client:
        wanted.append(base_image(ROOT, client, print))
    with private_engine() as own:
        own.take_over(wanted)
        for name, value in own.environment().items():
            monkeypatch.setenv(name, value)
        yield own


def loses_its_engine(place: ContainerPlace, command: Command, end_engine: Callable[[], None]) -> None:
    """Take a campaign's engine away under load: it says so, says how to go on, and leaves nothing running."""
    since, known = time.time(), place.finished()
    place.reaches(command, lambda: place.under_load(since))
    end_engine()
    ended = command.end(NOTICED_S)
    assert ended.code == EXIT_ERROR
    assert "Traceback" not in ended.err
    assert "engine" in ended.err
    assert "chatbench run --resume" in ended.err
    assert place.running(command.process.pid) == []
    assert place.finished() == known


def test_a_campaign_outlives_its_engine(own_engine: PrivateEngine, tmp_path: Path) -> None:
    place = ContainerPlace(tmp_path)
    with place.command(*place.measuring(TOY)) as command:
        place.reaches(command, place.finished)
        loses_its_engine(place, command, own_engine.stop)
    first = place.finished()
    own_engine.start()

    with place.command("run", "--resume", str(place.run_folder()), "--results", str(place.results)) as command:
        loses_its_engine(place, command, own_engine.kill)
    assert place.finished() == first
    own_engine.start()

    ended = place.do("run", "--resume", str(place.run_folder()), "--results", str(place.results))
    assert ended.code in (EXIT_DONE, EXIT_INVALID), ended.err  # a busy machine may leave the capacity unsettled
    assert place.finished().items() > first.items()
    assert all((folder / "trial.json").exists() for folder in place.run_folder().glob("trials/*/*/*"))
    assert (place.run_folder() / "report" / "report.html").exists()
    assert place.in_engine(command.process.pid) == []
