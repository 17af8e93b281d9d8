"""The one command that has both limits enforced for an account on this machine."""

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.host import machine

SYSTEMD = Path("/run/systemd/system")  # there while systemd is in charge (sd_booted(3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The facts of an account and its machine that decide how limits come to be enforced."""

    user: int
    group: int
    groups: str  # ``v1``, ``v2`` or ``none``
    systemd: bool
    sudo: bool

    @classmethod
    def here(cls) -> "Account":
        """Return those of this process."""
        return cls(
            user=os.geteuid(),
            group=os.getegid(),
            groups=machine.cgroup_version(),
            systemd=SYSTEMD.is_dir(),
            sudo=shutil.which("sudo") is not None,
        )


def remedy(account: Account) -> str:
    """Return in words how limits come to be enforced."""
    if account.groups == "none":
        return "boot a kernel with control groups, or mount them in this container"
    if account.user == 0:
        return "run on the machine itself, or in a container that may make control groups (--privileged)"
    return "run the command below" if account.sudo else "run the command below as root"


def command(account: Account, root: Path) -> str:
    """Return the command, empty where none can help.

    Version 1 has no safe delegation to a plain account: there root measures.
    """
    if account.groups == "none" or account.user == 0:
        return ""
    words = ["sudo"] if account.sudo else []
    if account.groups == "v2" and account.systemd:
        words += ["systemd-run", "--pipe", "--wait", "--collect", "-p", "Delegate=yes"]
        words += [f"--uid={account.user}", f"--gid={account.group}", f"--working-directory={root}", "make", "bench"]
    else:
        words += ["make", "-C", str(root), "bench"]
    return shlex.join(words)
