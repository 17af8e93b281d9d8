"""A whole REST target in one small server, to prove the conformance checks on: right, or with one defect at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.doubles.conformance_twin.operations import Handler
from tests.doubles.conformance_twin.state import SEED, Twin
from tests.serving import serving

__all__ = ["SEED", "Twin", "running"]


@contextmanager
def running(twin: Twin) -> Iterator[str]:
    """Serve a twin on a free port; yields its address."""
    handler = type("TwinHandler", (Handler,), {"twin": twin})
    with serving(handler) as base_url:
        yield base_url
