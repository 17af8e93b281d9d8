"""Every part as an image: monoliths, and pairs put together by their names alone, meet the contract in a pod."""

from pathlib import Path

import pytest

from harness import targets
from harness.errors import EXIT_DONE
from tests.e2e.campaigns.bad_days_campaign import ROOT
from tests.e2e.containers.engine import ContainerPlace, prepared

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1_500)]  # it may be the first to need the images

CATALOGUE = targets.discover(ROOT / "targets")
#: the rest: a whole campaign measures the pair of the article, and the others' images are made in the same way
SHORT = {"no-app"}
TARGETS = [
    pytest.param(target.name, marks=() if target.name in SHORT else pytest.mark.long)
    for target in map(CATALOGUE.target, CATALOGUE.covering())
    if target.instances < 2  # more are the same image
    and not any(part.only_local for part in target.parts)
]
#: checks at least, by protocol; of others the two first turns
CHECKS = {"rest": 76, "streamlit": 5, "forms": 13}
PATIENCE_S = 900.0


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_meets_the_contract_in_containers(name: str, tmp_path: Path) -> None:
    prepared(name)
    place = ContainerPlace(tmp_path)
    with place.command("check", name, "--runtime", "docker") as command:
        ended = command.end(PATIENCE_S)
        assert place.left(command.process.pid) == []
    assert ended.code == EXIT_DONE, ended.out + ended.err
    assert "FAILED" not in ended.out
    passed, _, tried = ended.out.splitlines()[-1].partition(" of ")
    assert int(passed) == int(tried.split()[0]) >= CHECKS.get(str(CATALOGUE.target(name).protocol), 2)
