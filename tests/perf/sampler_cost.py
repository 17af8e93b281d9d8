"""What sampling costs: six components of two processes each, read twice a second as in a trial."""

import sys
import tempfile
import time
from pathlib import Path

from harness.host.cgroups import Budget
from harness.runtimes.local import Launch, LocalRuntime
from harness.runtimes.sampler import INTERVAL_S, Sampler

COMPONENTS = 6
SECONDS = 8.0
GOAL_RATIO = 0.01
SCRIPT = "import os, time; os.fork(); kept = bytearray(4 << 20); time.sleep(600)"


def measure() -> list[dict[str, object]]:
    """Return the sampler's CPU time over elapsed time, in cores, with control groups and without."""
    figures: list[dict[str, object]] = []
    for how, runtime in (
        ("control groups", LocalRuntime(Budget())),
        ("/proc alone", LocalRuntime(Budget(), lambda: None)),
    ):
        with tempfile.TemporaryDirectory(prefix="chatbench-perf-") as name:
            ratio, readings, limits = cost(runtime, Path(name))
        figures.append(
            {
                "name": f"sampler, {how}",
                "goal": GOAL_RATIO,
                "value": round(ratio, 5),
                "unit": "cores",
                "met": ratio <= GOAL_RATIO,
                "note": f"{readings} readings of {COMPONENTS} components every {INTERVAL_S} s; limits: {limits}",
            }
        )
    return figures


def cost(runtime: LocalRuntime, folder: Path) -> tuple[float, int, str]:
    """Return the sampler's cores, the number of readings, and how limits are kept."""
    with runtime.open_trial("sampler-cost", folder) as pod:
        for number in range(COMPONENTS):
            pod.start(
                Launch(
                    name=f"c{number}",
                    role="target",
                    command=(sys.executable, "-I", "-S", "-c", SCRIPT),
                    cwd=folder,
                    env={},
                    log=folder / f"c{number}.log",
                    version="0",
                    endpoint=None,
                    ready_url=None,
                )
            )
        begun_s = time.monotonic()
        with Sampler(pod) as sampler:
            time.sleep(SECONDS)
        elapsed_s = time.monotonic() - begun_s
        return sampler.cpu_s() / elapsed_s, len(sampler.samples) // COMPONENTS, pod.limits().how


if __name__ == "__main__":
    for figure in measure():
        print(figure)
