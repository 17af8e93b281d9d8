"""The machine: the facts that two results must share, and the lock for one campaign at a time."""

import fcntl
import os
import platform
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import BenchError
from harness.host import cgroups, cpus, procfs

LOCK_FILE = Path(tempfile.gettempdir()) / "chatbench.lock"


def fingerprint() -> dict[str, str | int]:
    """Return the facts that distinguish machines; memory in bytes; facts that the kernel hides are absent."""
    usable = cpus.usable()
    cpuinfo = procfs.read("/proc/cpuinfo")
    found: dict[str, str | int] = {
        "cpu_model": cpu_model(cpuinfo),
        **cpu_numbers(cpuinfo),
        **cache_bytes(cpus.SYSFS_CPUS / f"cpu{usable[0]}" / "cache"),
        "architecture": platform.machine(),
        "logical_cpus": len(usable),
        "physical_cores": len(cpus.physical_cores(usable)),
        "memory_bytes": memory_bytes(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cgroup": cgroup_version(),
    }
    virtualisation = virtual()
    return found | ({"virtualisation": virtualisation} if virtualisation else {})


def memory_bytes() -> int:
    """Return the machine's physical memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def cgroup_version() -> str:
    """Return ``v1``, ``v2`` or ``none``."""
    hierarchy = cgroups.find()
    return f"v{hierarchy.version}" if hierarchy else "none"


def cpu_model(cpuinfo: str) -> str:
    """Return the CPU's name from the text of /proc/cpuinfo; Arm kernels give numbers instead of names."""
    values = _of_first_cpu(cpuinfo)
    if "model name" in values:
        return values["model name"]
    numbers = [f"{key} {values[key]}" for key in ("CPU implementer", "CPU part") if key in values]
    return ", ".join(numbers) or platform.machine()


def cpu_numbers(cpuinfo: str) -> dict[str, str | int]:
    """Return family, model and stepping of the first CPU, and its clock at this moment in MHz.

    The name alone hides generations: virtual machines of several kinds call themselves ``Intel(R) Xeon(R) Processor``.
    """
    values = _of_first_cpu(cpuinfo)
    names = {"cpu family": "cpu_family", "model": "cpu_model_number", "stepping": "cpu_stepping"}
    found: dict[str, str | int] = {new: int(values[old]) for old, new in names.items() if values.get(old, "").isdigit()}
    clock = re.fullmatch(r"\d+(?:\.\d+)?", values.get("cpu MHz", ""))
    return found | ({"clock_mhz": round(float(clock[0]))} if clock else {})


def cache_bytes(folder: Path) -> dict[str, str | int]:
    """Return the sizes of a CPU's caches, such as ``cache_l1d_bytes``, from its folder in sysfs; none where hidden."""
    found: dict[str, str | int] = {}
    for index in sorted(folder.glob("index*")):
        facts = {name: index / name for name in ("level", "type", "size")}
        if not all(os.access(path, os.R_OK) for path in facts.values()):
            continue
        level, kind, size = (path.read_text().strip() for path in facts.values())
        letter = {"Data": "d", "Instruction": "i"}.get(kind, "")
        if size.endswith("K"):
            found[f"cache_l{level}{letter}_bytes"] = int(size[:-1]) * 1024
    return found


def _of_first_cpu(cpuinfo: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        values.setdefault(name.strip(), value.strip())
    return values


def virtual(root: Path = Path("/")) -> str | None:
    """Return the kind of virtual machine or container, where it is visible."""
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return "container"
    vendor = root / "sys/class/dmi/id/sys_vendor"
    name = vendor.read_text().strip() if vendor.is_file() and os.access(vendor, os.R_OK) else ""
    cpuinfo = root / "proc/cpuinfo"
    if "hypervisor" not in (procfs.read(cpuinfo) if cpuinfo.is_file() else ""):
        return None
    return f"virtual machine ({name})" if name else "virtual machine"


def spare_cpus(budget_cpus: int = 2) -> tuple[int, ...]:
    """Return the CPUs left for generator and model; none when they share the target's."""
    split = cpus.split(cpus.physical_cores(cpus.usable()), budget_cpus)
    return split.others if split.spare else ()


@contextmanager
def one_campaign(lock_file: Path = LOCK_FILE) -> Iterator[None]:
    """Hold the machine's lock while the block runs; the kernel releases it when this process ends.

    Raises:
        BenchError: another campaign holds it, with its process id.
    """
    descriptor = _open(lock_file)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise BenchError(
                f"process {holder} is measuring on this machine; two campaigns would disturb each other",
                f"wait for it, or stop it with: kill -INT {holder}",
            ) from None
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_RDWR:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open(lock_file: Path) -> int:
    """Return the open lock file, even that of another user: a lock needs only reading."""
    try:
        return os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except PermissionError:
        return os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
