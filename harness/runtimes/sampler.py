"""Reads every component's resources twice a second while a trial is measured."""

import threading
import time
from types import TracebackType

from harness.errors import BenchError
from harness.records import ResourceSample
from harness.runtimes.protocol import Pod

INTERVAL_S = 0.5


class Sampler:
    """Samples a pod in a thread until the ``with`` block ends, a last time at its end."""

    def __init__(self, pod: Pod, interval_s: float = INTERVAL_S) -> None:
        self.samples: list[ResourceSample] = []
        self._pod = pod
        self._interval_s = interval_s
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._cpu_s = 0.0
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sampling.

        Raises:
            BenchError: a reading failed and nothing else went wrong: the trial has no resource figures.
        """
        self._over.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise BenchError(
                f"reading the components' resources failed after {len(self.samples)} samples: {self._failure!r}",
                "run `chatbench doctor`; something else may have removed the trial's control groups",
            ) from self._failure

    def cpu_s(self) -> float:
        """Return the CPU seconds sampling has taken so far."""
        return self._cpu_s

    def _run(self) -> None:
        due_s = time.monotonic()
        over = False
        try:
            while not over:
                self.samples += self._pod.sample()
                self._cpu_s = time.thread_time()
                due_s = max(due_s + self._interval_s, time.monotonic())  # late once is not late for ever
                over = self._over.wait(due_s - time.monotonic())
            self.samples += self._pod.sample()
            self._cpu_s = time.thread_time()
        except Exception as failure:  # noqa: BLE001  # raised again where the block ends
            self._failure = failure
