"""The upstream that its golden tests share, one for each file."""

from collections.abc import Iterator

import pytest

from tests.golden.upstream.server import Upstream, new_tag


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """An upstream whose answers are short; most tests override what they need."""
    log = tmp_path_factory.mktemp("upstream") / "emissions.jsonl"
    arguments = ("--seed", "42", "--ttft-s", "0.05", "--itl-s", "0.01", "--tokens", "6", "--stall-s", "0.6")
    with Upstream(log, *arguments) as server:
        yield server


@pytest.fixture
def tag() -> str:
    """A tag that no other request has."""
    return new_tag()
