"""The sampling thread against a pod that only counts."""

import threading

import pytest

from harness.errors import BenchError
from harness.records import ResourceSample
from harness.runtimes.protocol import Pod
from harness.runtimes.sampler import Sampler


class CountingPod:
    """Gives a sample per call and fails at one of them."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.calls = 0
        self.third = threading.Event()
        self._fail_at = fail_at

    def sample(self) -> list[ResourceSample]:
        self.calls += 1
        if self.calls == self._fail_at:
            raise FileNotFoundError("cpuacct.usage")
        if self.calls >= 3:
            self.third.set()
        return [ResourceSample(t_s=float(self.calls), component="c", role="target", cpu_s=0.0)]


def as_pod(pod: CountingPod) -> Pod:
    return pod  # type: ignore[return-value]  # the sampler calls sample() and nothing else


def test_samples_are_kept_in_order_with_a_last_one_at_the_end() -> None:
    pod = CountingPod()
    with Sampler(as_pod(pod), interval_s=0.01) as sampler:
        assert pod.third.wait(10)
    assert [s.t_s for s in sampler.samples] == [float(n + 1) for n in range(pod.calls)]
    assert pod.calls >= 4
    assert sampler.cpu_s() > 0


def test_a_short_block_has_its_first_and_last_reading() -> None:
    with Sampler(as_pod(CountingPod()), interval_s=60) as sampler:
        pass
    assert len(sampler.samples) == 2


def test_a_failed_reading_ends_in_an_error() -> None:
    with (
        pytest.raises(BenchError, match=r"failed after 1 samples: FileNotFoundError\('cpuacct.usage'\)"),
        Sampler(as_pod(CountingPod(fail_at=2)), interval_s=0.01),
    ):
        pass


def test_a_failed_reading_does_not_hide_what_went_wrong_first() -> None:
    with pytest.raises(KeyError, match="first"), Sampler(as_pod(CountingPod(fail_at=1)), interval_s=0.01):
        raise KeyError("first")
