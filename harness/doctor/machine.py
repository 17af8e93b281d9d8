"""The doctor's checks of this machine, with a fix for each thing missing."""

import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness import environments
from harness.analysis import narrow
from harness.doctor import docker, enforcing
from harness.doctor.advice import Advice
from harness.errors import BenchError
from harness.host import cpus, machine, procfs, scratch
from harness.probes.browser import chromium
from harness.records import Limits
from harness.runtimes.local import LocalRuntime

WATCH_S = 0.5
ENOUGH_USERS = 1000  # for a capacity of most chatbots within the budget
NEEDED_DISK_BYTES = 4 << 30
BUSY_RATIO = 0.05  # what makes a trial invalid, of foreign programs and of steal alike


def examine(root: Path) -> list[Advice]:
    """Look at everything, in the order a person would care; takes a second or two and leaves nothing behind."""
    looks: tuple[Callable[[], list[Advice]], ...] = (
        _cpus,
        _memory,
        lambda: _limits(root),
        lambda: [temporary_files()],
        _load,
        lambda: [disk(root)],
        lambda: [_node()],
        lambda: [_redis()],
        lambda: [_postgres()],
        lambda: [_chromium()],
        lambda: docker.examine(root),
    )
    return [check for look in looks for check in look()]


def disk(folder: Path) -> Advice:
    """Tell whether there is room for environments, builds and results."""
    free = shutil.disk_usage(folder).free
    text = f"{free / 2**30:.1f} GiB free"
    if free >= NEEDED_DISK_BYTES:
        return Advice(name="disk", state="ok", what=text)
    return Advice(
        name="disk", state="warn", what=text, remedy=f"free up {NEEDED_DISK_BYTES >> 30} GiB for set-up and results"
    )


def _cpus() -> list[Advice]:
    count = len(cpus.usable())
    try:
        spare = machine.spare_cpus()
    except BenchError as lacking:
        return [Advice(name="CPUs", state="missing", what=lacking.message, remedy=lacking.hint)]
    found = Advice(name="CPUs", state="ok", what=f"{count} ({machine.fingerprint()['cpu_model']})")
    if spare:
        return [found, Advice(name="spare CPUs", state="ok", what=f"{len(spare)} for generator and model")]
    return [
        found,
        Advice(
            name="spare CPUs",
            state="warn",
            what="none: generator and model take CPU from the target's budget, capacities may be lower bounds",
            remedy="use a machine of 4 or more CPUs for figures to cite",
        ),
    ]


def _memory() -> list[Advice]:
    total = machine.memory_bytes()
    text = f"{total / 2**30:.1f} GiB"
    if total >= 6 << 30:
        return [Advice(name="memory", state="ok", what=text)]
    remedy = "the target's budget is 4 GiB, generator and system come on top: use a machine of 6 GiB or more"
    return [Advice(name="memory", state="warn", what=text, remedy=remedy)]


def _limits(root: Path) -> list[Advice]:
    """Make a trial's groups for real and read the limits back."""
    try:
        runtime = LocalRuntime()
    except BenchError:
        return []  # too few CPUs: said already
    with (
        tempfile.TemporaryDirectory(prefix="chatbench-") as folder,
        runtime.open_trial("doctor", Path(folder)) as pod,
    ):
        limits = pod.limits()
    version = machine.cgroup_version()
    group = f"control groups {version}" if version != "none" else "no control groups"
    account = enforcing.Account.here()
    remedy, command = enforcing.remedy(account), enforcing.command(account, root)
    checks: list[Advice] = []
    for name, enforced in (("CPU limit", limits.cpu_enforced), ("memory limit", limits.memory_enforced)):
        fallback = "affinity only" if name == "CPU limit" else "watched only"
        if enforced:
            checks.append(Advice(name=name, state="ok", what=f"enforced, {group}"))
        else:
            what = f"not enforced ({group}; {fallback})"
            checks.append(Advice(name=name, state="warn", what=what, remedy=remedy, command=command))
    return [*checks, outer_limits(limits)]


def outer_limits(limits: Limits) -> Advice:
    """Tell what holds a target back besides its budget: outer groups, the shell's limits, the machine."""
    name = "outer limits"
    if limits.shortfall:
        remedy = "lift it, or run outside of it: every trial under it is invalid"
        return Advice(name=name, state="missing", what=limits.shortfall, remedy=remedy)
    enough = narrow.most_users(limits)
    if enough and enough[0] < ENOUGH_USERS:
        remedy = "raise it for more users: a trial that fails under it is invalid"
        return Advice(name=name, state="warn", what=f"{enough[1]}: for {enough[0]} users", remedy=remedy)
    tight = [note for note in limits.notes if note.startswith("an outer group")]
    if tight:
        return Advice(name=name, state="warn", what="; ".join(tight), remedy="lift it for figures to cite")
    room = f"; files, tasks and ports for {enough[0]:,} users" if enough else ""
    return Advice(name=name, state="ok", what=f"none below the budget{room}")


def temporary_files() -> Advice:
    """Tell whether trials' data is on a disk."""
    folder = scratch.base()
    if not scratch.in_memory(folder):
        return Advice(name="temporary files", state="ok", what=f"{folder}, on a disk")
    what = f"{folder} is in memory: what a target writes there counts as its memory"
    return Advice(name="temporary files", state="warn", what=what, remedy="set TMPDIR to a folder on a disk")


def _load() -> list[Advice]:
    before, own_before_s = procfs.host_times(), time.process_time()
    time.sleep(WATCH_S)
    after, own_s = procfs.host_times(), time.process_time() - own_before_s
    busy_s, steal_s = after.busy_s - before.busy_s - own_s, after.steal_s - before.steal_s
    total_s = after.busy_s - before.busy_s + after.idle_s - before.idle_s + steal_s
    busy, steal = (max(0.0, part) / total_s if total_s else 0.0 for part in (busy_s, steal_s))
    remedy = "stop other programs while measuring: above 5 % a trial is invalid"
    neighbours = "other machines on this host take its CPUs: choose a quieter host or hour"
    return [
        Advice(name="other load", state="ok", what=f"{busy:.0%} of the CPUs just now")
        if busy <= BUSY_RATIO
        else Advice(name="other load", state="warn", what=f"{busy:.0%} of the CPUs just now", remedy=remedy),
        Advice(name="steal", state="ok", what=f"{steal:.0%} just now")
        if steal <= BUSY_RATIO
        else Advice(name="steal", state="warn", what=f"{steal:.0%} just now", remedy=neighbours),
    ]


def _node() -> Advice:
    found = shutil.which("node")
    version = environments.output([found, "--version"]) if found else ""
    if found and environments.node_suits(version):
        return Advice(name="Node.js", state="ok", what=f"{version} at {found}")
    seen = f"{version} at {found} is too old" if version else "not on PATH"
    return Advice(name="Node.js", state="ok", what=f"{seen}; set-up installs one of its own")


def _redis() -> Advice:
    found = shutil.which("redis-server")
    if found:
        version = environments.redis_version(environments.output([found, "--version"]))
        return Advice(name="redis-server", state="ok", what=f"{version} at {found}")
    return Advice(name="redis-server", state="ok", what="not on PATH; set-up installs one of its own")


def _postgres() -> Advice:
    kind = platform.machine()
    if kind in environments.POSTGRES_MACHINES:
        return Advice(name="PostgreSQL", state="ok", what="set-up installs one of its own")
    remedy = "measure the variants without it, such as django:sqlite+angular"
    return Advice(name="PostgreSQL", state="missing", what=f"no locked package for {kind}", remedy=remedy)


def _chromium() -> Advice:
    found = chromium.find()
    if found and (flaw := chromium.driver_flaw()):
        what = f"{found}, but its driver does not start ({flaw})"
        command = "sudo apt-get install libatomic1" if "libatomic" in flaw and shutil.which("apt-get") else ""
        return Advice(name="Chromium", state="warn", what=what, remedy=chromium.DRIVER_HINT, command=command)
    if found:
        return Advice(name="Chromium", state="ok", what=found)
    remedy = "install the package chromium: the browser tests need it, measuring does not"
    command = "sudo apt-get install chromium" if shutil.which("apt-get") else ""
    return Advice(name="Chromium", state="missing", what="not on PATH", remedy=remedy, command=command)
