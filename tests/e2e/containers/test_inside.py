"""What is run inside a pod has its time: a container that goes on is told from one that ended."""

import pytest

from harness.runtimes.docker import engine
from tests.e2e.containers.engine import bystander, connected

pytestmark = pytest.mark.docker


def test_a_container_that_goes_on_has_no_exit_code_until_it_ends() -> None:
    with connected() as client, bystander(client, {}) as container:
        assert engine.exit_code(container, 1.0) is None
        container.kill()
        assert engine.exit_code(container, 30.0) == 137
