"""Goes through Debian 13 with systemd and control groups version 2, emulated, and prints a table of what was tried.

    sudo python3 tests/machines/debian_13.py /var/tmp/machine

By hand, and no part of the test suite: it takes an hour and 12 GB. It needs root on a Debian, with the packages
qemu-system-x86, debootstrap, e2fsprogs and openssh-client. What it made is kept for the next time; remove the folder.
The emulated processor is ten times slower than the real one: trials are invalid there, their limits are what counts.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
INCLUDED = (
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,procps,iproute2,sudo,openssh-server,"
    "linux-image-cloud-amd64,initramfs-tools,python3,python3-venv,make,git,curl,ca-certificates,libatomic1"
)
PYTHONS = ("3.12", "3.13", "3.14")
KERNEL = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off systemd.firstboot=off"
PORT, MEMORY_MIB, CPUS = 2222, 6400, 4
COMMAND_S, BOOT_S = 3600, 600
GIB4 = 4 << 30
#: as the account that measures: the limits of each trial of the last run, one JSON object a line
LIMITS = (
    "python3 -c \"import glob, json; run = sorted(glob.glob('results/*smoke*'))[-1]; "
    "[print(json.dumps(json.load(open(t))['limits'])) for t in glob.glob(run + '/trials/*/*/*/trial.json')]\""
)
LEFT = "find /sys/fs/cgroup -name 'chatbench-*-*' | wc -l; find /sys/fs/cgroup -name chatbench-harness | wc -l"
UNIT = ".venv/bin/pytest -q tests/unit/harness/host tests/unit/harness/runtimes/local tests/unit/harness/doctor"
DELEGATE = "/etc/systemd/system/user@.service.d/delegate.conf"


@dataclass(frozen=True, slots=True)
class Said:
    """A command's exit code and what it printed."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table."""

    system: str
    account: str
    tried: str
    result: str
    passed: bool
    minutes: float


class Table:
    """The rows so far; each is printed as it comes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(
        self, system: str, account: str, tried: str, begun_s: float, wrong: str, found: str = "as it should"
    ) -> None:
        """Add a row; ``wrong`` is empty where it went well."""
        minutes = (time.monotonic() - begun_s) / 60
        row = Row(system, account, tried, wrong or found, not wrong, minutes)
        self.rows.append(row)
        state = "ok" if row.passed else "FAILED"
        print(f"| {system} | {account} | {tried} | {state}: {row.result} | {minutes:.1f} min |", flush=True)


def run(words: list[str], *, timeout_s: float = COMMAND_S, check: bool = False) -> Said:
    """Run a command on this machine."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Said(-1, f"did not end within {timeout_s:g} s")
    said = Said(done.returncode, done.stdout + done.stderr)
    if check and said.code:
        raise SystemExit(f"{shlex.join(words)} ended with {said.code}:\n{said.text[-3000:]}")
    return said


@dataclass(frozen=True, slots=True)
class System:
    """The files of the machine: a root file system, later a disk image of it."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root file system."""
        return self.folder / "root"

    @property
    def key(self) -> Path:
        """The key that signs in."""
        return self.folder / "key"

    def build(self) -> None:
        """Make the root file system with two accounts, each with a clone of this checkout as it is committed."""
        if (self.root / "built").exists():
            return
        mirror = "http://deb.debian.org/debian"
        run(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", "trixie", str(self.root), mirror], check=True)
        self._like_here()
        self.key.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self._write("etc/hostname", "guest\n")
        self._write("etc/hosts", "127.0.0.1 localhost guest\n::1 localhost\n")
        self._write("etc/fstab", "/dev/vda / ext4 defaults 0 1\n/dev/vdb none swap sw 0 0\n")
        self._write("etc/systemd/network/10-dhcp.network", "[Match]\nName=e*\n[Network]\nDHCP=yes\n")
        self._write("etc/sudoers.d/bench", "bench ALL=(ALL) NOPASSWD: ALL\n")
        run(["chroot", str(self.root), "useradd", "-m", "-s", "/bin/bash", "bench"], check=True)
        for home in ("root", "home/bench"):
            self._write(f"{home}/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text())
            run(
                ["git", "clone", "-q", "--no-hardlinks", str(CHECKOUT), str(self.root / home / "chatbench")], check=True
            )
        run(["chroot", str(self.root), "chown", "-R", "bench:bench", "/home/bench"], check=True)
        run(["chroot", str(self.root), "systemctl", "enable", "systemd-networkd", "ssh"], check=True)
        (self.root / "built").touch()

    def _like_here(self) -> None:
        """Let it reach package indexes as this machine does: certificates, pip's settings, name servers."""
        for name in ("etc/resolv.conf", "etc/pip.conf"):
            if Path("/", name).exists():
                shutil.copy(Path("/", name), self.root / name)
        own = Path("/usr/local/share/ca-certificates")
        for certificate in own.glob("*.crt"):
            shutil.copy(certificate, self.root / str(own).lstrip("/"))
        run(["chroot", str(self.root), "update-ca-certificates"], check=True)
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE")
        self._write("etc/environment", "".join(f"{name}={bundle}\n" for name in names))

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)

    def inside(self, account: str, command: str) -> Said:
        """Run a command in the root file system, at this machine's speed and with its kernel."""
        script = (
            'mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && '
            'mount --rbind /dev "$1/dev" && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp" && '
            'exec chroot "$1" su - "$2" -c "$3"'
        )
        words = ["unshare", "-m", "sh", "-c", script, "sh", str(self.root), account, f"cd ~/chatbench && {command}"]
        return run(words)

    def image(self) -> None:
        """Put it into a disk image, with kernel, initial file system and swap beside it."""
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(next((self.root / "boot").glob(f"{name}-*")), self.folder / name)
        for name, size in (("swap.img", 1 << 30), ("disk.img", 20 << 30)):
            with (self.folder / name).open("wb") as file:
                file.truncate(size)
        run(["mkswap", "-q", str(self.folder / "swap.img")], check=True)
        run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(self.root), str(self.folder / "disk.img")], check=True)

    def ssh(self, account: str, command: str, *, timeout_s: float = COMMAND_S) -> Said:
        """Run a command on the machine while it runs."""
        options = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "ConnectTimeout": "60"}
        words = ["ssh", "-q", "-i", str(self.key), "-p", str(PORT)]
        words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return run([*words, f"{account}@127.0.0.1", f"cd ~/chatbench && {command}"], timeout_s=timeout_s)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot it, and end it with the block."""
        drives = [f"file={self.folder / name},format=raw,if=virtio,cache=unsafe" for name in ("disk.img", "swap.img")]
        words = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(CPUS)]
        words += ["-m", str(MEMORY_MIB), "-nographic", "-no-reboot", "-append", KERNEL]
        words += ["-kernel", str(self.folder / "vmlinuz"), "-initrd", str(self.folder / "initrd.img")]
        words += [word for drive in drives for word in ("-drive", drive)]
        words += ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{PORT}-:22", "-device", "virtio-net-pci,netdev=n"]
        with (self.folder / "console.log").open("wb") as console:
            machine = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            until_s = time.monotonic() + BOOT_S
            while self.ssh("root", "true", timeout_s=90).code:
                if time.monotonic() > until_s or machine.poll() is not None:
                    raise SystemExit(f"the machine did not boot; see {self.folder / 'console.log'}")
                time.sleep(3)
            yield
            self.ssh("root", "poweroff", timeout_s=60)
            machine.wait(120)
        finally:
            machine.kill()
            machine.wait()


def shown(said: Said, count: int = 3) -> str:
    """Return the end of what a command printed, in one line."""
    return " / ".join(line.strip() for line in said.text.splitlines()[-count:])[:200]


def advice(doctor: Said) -> str:
    """Return the command that the doctor prints for the limits, as it stands."""
    found = re.search(r"^for CPU limit.*:\n(.+)$", doctor.text, re.MULTILINE)
    return found[1] if found else ""


def limits_wrong(said: Said) -> str:
    """Return what is wrong with the limits that the trials of a run had; empty where all were enforced."""
    lines = [json.loads(line) for line in said.text.splitlines() if line.startswith("{")]
    if not lines:
        return f"no trial was written: {shown(said)}"
    wanted = {"cpu_enforced": True, "memory_enforced": True, "memory_bytes": GIB4, "swap_bytes": 0, "shortfall": None}
    wrong = [f"{name} is {one[name]}" for one in lines for name, value in wanted.items() if one[name] != value]
    return "; ".join(dict.fromkeys(wrong))


def left_wrong(said: Said) -> str:
    """Return what is wrong with the groups that are left: none of a trial, one leaf at most in a session or unit."""
    counts = [int(word) for word in said.text.split() if word.isdigit()]
    return "" if counts and counts[0] == 0 else f"groups left: {shown(said)}"


def pythons(system: System, table: Table) -> None:
    """Run the unit tests on each Python, at this machine's speed; one that cannot be had is said so."""
    for version in PYTHONS:
        begun_s, name = time.monotonic(), f"Debian 13, Python {version}"
        found = system.inside("root", f".venv/bin/uv python install -q {version} && .venv/bin/uv python find {version}")
        python = found.text.strip().splitlines()[-1:] if not found.code else []
        if not python:
            table.add(name, "root", "make unit", begun_s, "", f"not available here: {shown(found, 1)}")
            continue
        said = system.inside("root", f"make unit PYTHON={python[0]} VENV=.venv-{version}")
        table.add(name, "root", "make unit", begun_s, shown(said) if said.code else "", shown(said, 1))


def measured(system: System, table: Table, account: str, label: str, command: str) -> None:
    """Run a campaign; it is well if the kernel held each of its trials to the budget, and nothing is left of it."""
    begun_s = time.monotonic()
    system.ssh(account, "rm -rf results/*smoke*")  # its own run is to be looked at
    said = system.ssh(account, command)
    found = system.ssh(account, LIMITS)
    wrong = limits_wrong(found) or left_wrong(system.ssh("root", LEFT))
    table.add("Debian 13, version 2, systemd", label, command, begun_s, f"{wrong} ({shown(said)})" if wrong else "")


def doctor(system: System, table: Table, account: str, label: str, *, enforced: bool) -> str:
    """Let the doctor look, compare what it says of the limits, and return the command that it prints."""
    begun_s = time.monotonic()
    said = system.ssh(account, "COLUMNS=80 .venv/bin/chatbench doctor")
    line = advice(said)
    wrong = "" if bool(line) != enforced else f"limits enforced: {not enforced}"
    table.add(
        "Debian 13, version 2, systemd", label, "chatbench doctor", begun_s, wrong, line or "both limits enforced"
    )
    return line


def accounts(system: System, table: Table) -> None:
    """Go through the accounts of the running machine."""
    name = "Debian 13, version 2, systemd"
    for account in ("root", "bench"):
        begun_s = time.monotonic()
        said = system.ssh(account, UNIT)
        table.add(name, account, UNIT, begun_s, shown(said) if said.code else "", shown(said, 1))
    doctor(system, table, "root", "root", enforced=True)
    measured(system, table, "root", "root", "make bench PROFILE=smoke")
    line = doctor(system, table, "bench", "plain", enforced=False)
    if line:  # as printed, but for the profile: a whole campaign would take a day here
        measured(system, table, "bench", "plain", f"{line} PROFILE=smoke")
    system.ssh("root", f"mkdir -p $(dirname {DELEGATE})")
    system.ssh("root", f"printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > {DELEGATE}")
    system.ssh("root", "systemctl daemon-reload && loginctl terminate-user bench; sleep 10")
    scope = "systemd-run --user --scope -p Delegate=yes"
    measured(system, table, "bench", "delegated", f"{scope} make bench PROFILE=smoke")
    begun_s = time.monotonic()
    system.ssh("root", "usermod -aG docker bench")
    said = system.ssh("bench", "docker info --format '{{.ServerVersion}} {{.CgroupDriver}}'")
    table.add(name, "group docker", "docker info", begun_s, shown(said) if said.code else "", shown(said, 1))
    if not said.code:
        measured(system, table, "bench", "group docker", "make bench RUNTIME=docker PROFILE=smoke")


def main() -> None:
    """Build what is missing, go through everything, end with 1 where something failed."""
    if len(sys.argv) != 2 or os.geteuid() != 0:
        raise SystemExit(f"usage, as root: {sys.argv[0]} FOLDER")
    system, table = System(Path(sys.argv[1]).resolve()), Table()
    system.folder.mkdir(parents=True, exist_ok=True)
    system.build()
    for account in ("root", "bench"):
        begun_s = time.monotonic()
        said = system.inside(account, "make setup && make .venv/.dev")
        table.add("Debian 13", account, "make setup", begun_s, shown(said) if said.code else "")
    pythons(system, table)
    said = system.inside(
        "root", "apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io docker-cli"
    )
    print(f"docker.io: {shown(said, 1)}")
    system.image()
    with system.running():
        print(shown(system.ssh("root", "uname -r; systemctl --version | head -1; python3 --version")), flush=True)
        accounts(system, table)
    sys.exit(any(not row.passed for row in table.rows))


if __name__ == "__main__":
    main()
