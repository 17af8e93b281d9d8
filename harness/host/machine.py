"""The machine: the facts that two results must share, and the lock for one campaign at a time."""

import os
import platform
import re
from pathlib import Path

from harness.host import cgroups, cpus, procfs
from harness.host.lock import one_campaign

__all__ = [
    "cache_bytes",
    "cgroup_version",
    "cpu_model",
    "cpu_numbers",
    "fingerprint",
    "memory_bytes",
    "one_campaign",
    "spare_cpus",
    "virtual",
]


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
