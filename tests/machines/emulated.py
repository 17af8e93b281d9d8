"""Debian 13 as a folder, run in two ways: at this machine's speed with its kernel, or emulated with its own.

Whatever needs no kernel of its own is done in the first way: the emulated processor is ten times slower.
"""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MIRROR, SUITE = "http://deb.debian.org/debian", "trixie"
INCLUDED = (
    "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,kmod,procps,iproute2,sudo,openssh-server,"
    "linux-image-cloud-amd64,initramfs-tools,python3,python3-venv,make,git,curl,ca-certificates,libatomic1"
)
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
HOMES = ("root", "home/bench")
KERNEL = "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off systemd.firstboot=off"
PROCESSOR = ("-accel", "tcg,thread=multi,tb-size=1536", "-cpu", "Nehalem,+pcid,+invpcid")
PORT, MEMORY_MIB, CPUS = 2222, 6400, 4
BUILD_S, QUESTION_S, BOOT_S = 3600, 240, 900


class WrongError(Exception):
    """Something that is not as it should be; the text says what was found."""


@dataclass(frozen=True, slots=True)
class Said:
    """A command's exit code and what it printed."""

    code: int
    text: str


def run(words: list[str], *, timeout_s: float = BUILD_S, check: bool = False) -> Said:
    """Run a command on this machine.

    Raises:
        WrongError: it failed, and was to be checked.
    """
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return Said(-1, f"it did not end within {timeout_s:g} s")
    said = Said(done.returncode, done.stdout + done.stderr)
    if check and said.code:
        raise WrongError(f"{shlex.join(words)} ended with {said.code}: {shown(said, 10)}")
    return said


def shown(said: Said, count: int = 3) -> str:
    """Return the end of what a command printed, in one line."""
    lines = [line.strip() for line in said.text.splitlines() if line.strip()]
    return " / ".join(lines[-count:])[-400:]


def until(happened: Callable[[], bool], patience_s: float, pause_s: float) -> bool:
    """Return whether something happened in time."""
    deadline_s = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(pause_s)
    return True


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
        """Make the root file system unless it is there, with two accounts; each has a clone of what is committed."""
        if not (self.root / "built").exists():
            self._make()
        for home in HOMES:
            clone = self.root / home / "chatbench"
            git = ["git", "-c", "safe.directory=*", "-C", str(clone)]
            if clone.exists():  # of an earlier time: what was set up in it stays
                run([*git, "fetch", "-q", str(CHECKOUT), "HEAD"], check=True)
                run([*git, "reset", "-q", "--hard", "FETCH_HEAD"], check=True)
            else:
                run(["git", "clone", "-q", "--no-hardlinks", str(CHECKOUT), str(clone)], check=True)
        run(["chroot", str(self.root), "chown", "-R", "bench:bench", "/home/bench"], check=True)

    def _make(self) -> None:
        run(["rm", "-rf", "--one-file-system", str(self.root)], check=True)  # of an attempt that was cut off
        run(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", SUITE, str(self.root), MIRROR], check=True)
        self._like_here()
        self.key.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.write("etc/hostname", "guest\n")
        self.write("etc/hosts", "127.0.0.1 localhost guest\n::1 localhost\n")
        self.write("etc/fstab", "/dev/vda / ext4 defaults 0 1\n/dev/vdb none swap sw 0 0\n")
        self.write("etc/systemd/network/10-dhcp.network", "[Match]\nName=e*\n[Network]\nDHCP=yes\n")
        self.write("etc/sudoers.d/bench", "bench ALL=(ALL) NOPASSWD: ALL\n")
        run(["chroot", str(self.root), "useradd", "-m", "-s", "/bin/bash", "bench"], check=True)
        for home in HOMES:
            self.write(f"{home}/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text())
        run(["chroot", str(self.root), "systemctl", "enable", "systemd-networkd", "ssh"], check=True)
        (self.root / "built").touch()

    def _like_here(self) -> None:
        """Let it reach package indexes as this machine does: certificates, name servers, settings of apt and pip."""
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        own = Path("/usr/local/share/ca-certificates")
        for certificate in own.glob("*.crt"):
            shutil.copy(certificate, self.root / own.relative_to("/"))
        run(["chroot", str(self.root), "update-ca-certificates"], check=True)
        names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE")
        self.write("etc/environment", "".join(f"{name}={BUNDLE}\n" for name in names))
        pip = Path("/etc/pip.conf")  # what systemd starts has no /etc/environment
        self.write("etc/pip.conf", pip.read_text() if pip.is_file() else f"[global]\ncert = {BUNDLE}\n")
        lines = run(["apt-config", "dump"], check=True).text.splitlines()
        kept = [line for line in lines if re.match(r"Acquire::(Check-|https?[: ]|Retries)", line)]
        self.write("etc/apt/apt.conf.d/90here", "".join(f"{line}\n" for line in kept))

    def write(self, name: str, text: str) -> None:
        """Write a file of the root file system."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text)

    def inside(self, account: str, command: str, *, timeout_s: float = BUILD_S) -> Said:
        """Run a command in the root file system, at this machine's speed and with its kernel; nothing outlives it."""
        script = (
            'mount --bind "$1" "$1" && mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && '
            'mount --rbind /dev "$1/dev" && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp" && '
            'chroot "$1" su - "$2" -c "$3"; exit $?'  # the shell stays: it reaps what others leave
        )
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", str(self.root)]
        return run([*words, account, f"cd ~/chatbench || exit\n{command}"], timeout_s=timeout_s)

    def image(self) -> None:
        """Put it into a disk image, with kernel, initial file system and swap beside it."""
        for name in ("vmlinuz", "initrd.img"):
            shutil.copy(next((self.root / "boot").glob(f"{name}-*")), self.folder / name)
        for name, size in (("swap.img", 1 << 30), ("disk.img", 20 << 30)):
            with (self.folder / name).open("wb") as file:
                file.truncate(size)
        run(["mkswap", "-q", str(self.folder / "swap.img")], check=True)
        run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(self.root), str(self.folder / "disk.img")], check=True)

    def _signing_in(self, account: str, command: str) -> list[str]:
        options = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "ConnectTimeout": "60"}
        words = ["ssh", "-q", "-i", str(self.key), "-p", str(PORT)]
        words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return [*words, f"{account}@127.0.0.1", f"cd ~/chatbench || exit\n{command}"]

    def ssh(self, account: str, command: str, *, timeout_s: int = QUESTION_S) -> Said:
        """Run a command on the machine while it runs; one that takes too long is ended there."""
        ended = f"timeout --kill-after=60 {timeout_s} sh -c {shlex.quote(command)}"
        return run(self._signing_in(account, ended), timeout_s=timeout_s + 180)

    @contextmanager
    def started(self, account: str, command: str) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
        """Start a command on the machine; give it and the file of what it prints. Units that it started are ended."""
        log = self.folder / "started.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._signing_in(account, command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield process, log
        finally:
            self.ssh("root", "systemctl stop 'run-*.service'")
            process.kill()
            process.wait()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Boot it, and end it with the block; raises WrongError where it does not boot."""
        drives = [f"file={self.folder / name},format=raw,if=virtio,cache=unsafe" for name in ("disk.img", "swap.img")]
        words = ["qemu-system-x86_64", *PROCESSOR, "-smp", str(CPUS), "-m", str(MEMORY_MIB), "-nographic", "-no-reboot"]
        words += ["-kernel", str(self.folder / "vmlinuz"), "-initrd", str(self.folder / "initrd.img")]
        words += ["-append", KERNEL]
        words += [word for drive in drives for word in ("-drive", drive)]
        words += ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{PORT}-:22", "-device", "virtio-net-pci,netdev=n"]
        words += ["-device", "virtio-rng-pci"]
        console = self.folder / "console.log"
        with console.open("wb") as output:
            machine = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            until(lambda: machine.poll() is not None or self.ssh("root", "true").code == 0, BOOT_S, 3)
            if machine.poll() is not None or self.ssh("root", "true").code:
                raise WrongError(f"it does not answer; see {console}")
            yield
            self.ssh("root", "poweroff")
            machine.wait(300)
        finally:
            machine.kill()
            machine.wait()
