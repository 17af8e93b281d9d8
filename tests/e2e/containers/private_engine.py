"""A Docker engine of a test's own, to be stopped, killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.campaigns.bad_days_campaign import until

START_S = 60.0
ON_DISK = "/var/tmp"  # noqa: S108 (/tmp may be memory; the folder's name is made up by mkdtemp)
OPTIONS_VARIABLE = "CHATBENCH_ENGINE_OPTIONS"  # what else dockerd is to be told on this machine

# Put before the engine's own client on PATH: the images were brought along, and there is no cache to build them from.
_DOES_NOT_BUILD = """#!/bin/sh
case "$1" in build | buildx) exit 0 ;; esac
exec {docker} "$@"
"""


class PrivateEngine:
    """An engine without any network but its containers' loopback, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        name = "".join(filter(str.isalnum, self._folder.name))
        # in a network of its own: without a bridge it would remove the one that another engine of this machine uses
        words = [
            "unshare",
            "--net",
            "dockerd",
            "--data-root",
            f"{self._folder}/data",
            "--exec-root",
            f"{self._folder}/exec",
        ]
        words += ["--pidfile", f"{self._folder}/pid", "--host", self.host, "--bridge=none", "--iptables=false"]
        # a machine may have one containerd for all engines: their containers are told apart by these
        words += ["--containerd-namespace", name, "--containerd-plugins-namespace", f"{name}-plugins"]
        words += os.environ.get(OPTIONS_VARIABLE, "").split()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        assert until(self._answers, START_S), (self._folder / "log").read_text()[-2000:]

    def stop(self) -> None:
        """Stop it in peace, as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it; what runs in its containers goes on."""
        self._end(signal.SIGKILL)
        # its containerd dies with it; until somebody takes note of that, its number would pass for a running one's
        (self._folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def take_over(self, images: Sequence[str]) -> None:
        """Fill it with images of this machine's engine."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as save:
            subprocess.run(
                ["docker", "--host", self.host, "load", "--quiet"],
                stdin=save.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        assert save.returncode == 0

    def environment(self) -> dict[str, str]:
        """Return the variables with which a command uses it, and builds nothing."""
        client = self._folder / "bin" / "docker"
        client.parent.mkdir(exist_ok=True)
        client.write_text(_DOES_NOT_BUILD.format(docker=shutil.which("docker")))
        client.chmod(0o755)
        return {"DOCKER_HOST": self.host, "PATH": f"{client.parent}{os.pathsep}{os.environ['PATH']}"}

    def remove(self) -> None:
        """End it with everything it left: its shims, its mounts, its folder."""
        if self._process is not None and self._process.poll() is not None and self._processes():
            self.start()  # it was killed: started once more, it ends what it left in containers
        if self._process is not None:
            self.stop()
        for pid in self._processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for point in sorted((point for point in mounts if Path(point).is_relative_to(self._folder)), reverse=True):
            subprocess.run(["umount", point], check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _processes(self) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdigit() and f"{self._folder}/".encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
        return found

    def _answers(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.host.removeprefix("unix://"))
            engine.settimeout(START_S)
            engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in engine.recv(100)
        return False

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(START_S)


@contextmanager
def private_engine() -> Iterator[PrivateEngine]:
    """Give a running engine; its folder's name is short because the path of a socket may not be long."""
    own = PrivateEngine(Path(tempfile.mkdtemp(prefix="cb-", dir=ON_DISK)))
    try:
        own.start()
        yield own
    finally:
        own.remove()
