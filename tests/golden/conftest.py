"""The model that its golden tests share, one for each file."""

from collections.abc import Iterator

import pytest

from tests.golden.model.server import Model, new_tag


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """A model whose answers are short; most tests override what they need."""
    log = tmp_path_factory.mktemp("model") / "emissions.jsonl"
    arguments = ("--seed", "42", "--ttft-s", "0.05", "--itl-s", "0.01", "--tokens", "6", "--stall-s", "0.6")
    with Model(log, *arguments) as server:
        yield server


@pytest.fixture
def tag() -> str:
    """A tag that no other request has."""
    return new_tag()
