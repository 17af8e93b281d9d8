"""Foreign CPU time: that of all processes less the trial's own, both counted alike."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.host import accounting, cgroups, meter, procfs
from harness.host.accounting import Account, Usage
from harness.host.meter import Meter
from harness.records import Component

TARGET = Component(name="app", role="target", version="1")
STAT = "cpu  {user} 0 100 {idle} 200 {irq} 300 50 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 9 9\n"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., procfs.HostTimes]:
    """Readings of a machine of two CPUs at a moment of its clock; counters in ticks of 10 ms."""

    right = procfs.host_times

    def read(now_s: float, *, idle: int, irq: int = 0, user: int = 0) -> procfs.HostTimes:
        (tmp_path / "stat").write_text(STAT.format(idle=idle, irq=irq, user=user))
        monkeypatch.setattr(procfs, "TICKS_PER_S", 100)
        monkeypatch.setattr(time, "monotonic", lambda: now_s)
        return right(tmp_path)

    return read


def test_busy_time_is_what_the_clock_leaves_beside_idle_and_stolen_time(
    host: Callable[..., procfs.HostTimes],
) -> None:
    found = host(100.0, idle=10_000, user=1)  # ticks of user time play no part
    assert (found.idle_s, found.steal_s) == (102.0, 0.5)
    assert found.busy_s == pytest.approx(2 * 100 - 102 - 0.5)


@pytest.mark.parametrize(("irq", "interrupt_s"), [(0, 0.0), (7, 3.07)])
def test_interrupts_are_told_apart_where_the_kernel_accounts_for_them(
    host: Callable[..., procfs.HostTimes], irq: int, interrupt_s: float
) -> None:
    assert host(100.0, idle=10_000, irq=irq).interrupt_s == pytest.approx(interrupt_s)


class Own(Account):
    """An account that uses half a core."""

    def read(self, processes_found: object) -> Usage:  # type: ignore[override]
        return Usage(cpu_s=0.5 * time.monotonic(), memory=None, oom_kills=None, process_cpu_s={})


def foreign_s(monkeypatch: pytest.MonkeyPatch, everything: Path | None, at: Callable[[float], object]) -> float:
    monkeypatch.setattr(meter, "whole_machine", lambda: everything)
    monkeypatch.setattr(Meter, "_harness_cpu_s", lambda self: 0.01 * time.monotonic())
    at(0.0)
    reading = Meter(None, ())
    at(100.0)
    (sample,) = reading.read([(TARGET, Own(leader=1))])
    assert sample.foreign_cpu_s is not None
    return sample.foreign_cpu_s


@pytest.mark.parametrize(("others", "expected"), [(0.0, 0.0), (0.07, 7.0), (-0.02, -2.0)])
def test_the_root_group_counts_as_the_groups_do_and_the_difference_is_signed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: Callable[..., procfs.HostTimes],
    others: float,
    expected: float,
) -> None:
    def at(now_s: float) -> None:
        times = host(now_s, idle=round(100 * now_s), irq=round(now_s))
        monkeypatch.setattr(procfs, "host_times", lambda: times)
        (tmp_path / "cpuacct.usage").write_text(f"{(0.51 + others) * now_s * 1e9:.0f}\n")

    assert foreign_s(monkeypatch, tmp_path, at) == pytest.approx(expected)


@pytest.mark.parametrize(("irq", "expected"), [(0, 100 * (2 - 0.7 - 0.51)), (300, 100 * (2 - 0.7 - 0.51) - 3.0)])
def test_without_a_root_group_it_is_busy_time_without_interrupts_that_nobody_is_charged_for(
    monkeypatch: pytest.MonkeyPatch, host: Callable[..., procfs.HostTimes], irq: int, expected: float
) -> None:
    def at(now_s: float) -> None:
        # 1 is there from the start: such a kernel has counted interrupts since it booted
        times = host(now_s, idle=round(70 * now_s), irq=1 + round(irq * now_s / 100) if irq else 0)
        monkeypatch.setattr(procfs, "host_times", lambda: times)

    assert foreign_s(monkeypatch, None, at) == pytest.approx(expected)


def test_a_root_is_told_from_the_group_of_a_container_by_its_release_agent(tmp_path: Path) -> None:
    for name in ("proc/self", "root", "container"):
        (tmp_path / name).mkdir(parents=True)
    mounts = tmp_path / "proc/self/mountinfo"
    mounts.write_text(f"40 39 0:31 / {tmp_path}/container rw - cgroup cgroup rw,cpu,cpuacct\n")
    assert cgroups.whole_machine(tmp_path / "proc") is None
    (tmp_path / "root/release_agent").touch()
    mounts.write_text(f"40 39 0:31 / {tmp_path}/root rw - cgroup cgroup rw,cpu,cpuacct\n")
    assert cgroups.whole_machine(tmp_path / "proc") == tmp_path / "root"


def test_every_source_of_this_machine_sees_a_program_that_spins() -> None:
    sources: list[Callable[[], float]] = [lambda: procfs.host_times().busy_s]
    if (root := cgroups.whole_machine()) is not None:
        sources.append(lambda: accounting.group_cpu_s(root, 1))
    before = [source() for source in sources]
    spin = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-I", "-S", "-c", spin], check=True)
    assert all(source() - was > 0.45 for source, was in zip(sources, before, strict=True))
