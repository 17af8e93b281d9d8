"""Goes through Debian 13 with systemd and control groups version 2, emulated, and prints a table of what was tried.

    sudo python3 tests/machines/debian_13.py /var/tmp/machine

By hand, and no part of the test suite: it takes about an hour on two cores, 8 GB of memory and 12 GB of disk. It needs
root on a Debian, with the packages qemu-system-x86, debootstrap, e2fsprogs and openssh-client. What it made is kept for
the next time, and brought to what is committed then; remove the folder. Trials are invalid there: their limits count.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from emulated import Said, System, WrongError, shown, until

NEEDED = {
    "qemu-system-x86_64": "qemu-system-x86",
    "debootstrap": "debootstrap",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
}
ENGINE = "docker.io docker-cli docker-buildx docker-compose iptables debootstrap"
PYTHONS = ("3.12", "3.13", "3.14")
COMMAND_S, STOP_S = 1800, 600
GIB4 = 4 << 30
HERE, MACHINE = "Debian 13, outside of the emulation", "Debian 13, control groups version 2, systemd"
#: a target of the standard library and a campaign of two trials: the shortest whose limits can be read back
TOY, BRIEF = "tests/e2e/parts/toy", "/etc/chatbench-brief.toml"
PROFILE = """\
purpose = "to see that limits are enforced; no figure of it counts"
capacity = false
think_s = 1.0
turns_per_conversation = 3
audit = false
idle = false

[answer]
ttft_s = 0.2
itl_s = 0.05
tokens = 10

[window]
measure_min_s = 6
measure_max_s = 20
measure_turns = 5
drain_s = 10

[search]
base_users = 1
"""
MEASURE = f"make bench TARGETS={TOY} PROFILE={BRIEF}"
TRIALS = "results/*/trials/*/*/*/trial.json"
#: the limits of each trial of the run that is there, one JSON object a line
LIMITS = (
    'python3 -c "import glob, json; '
    f"[print(json.dumps(json.load(open(t))['limits'])) for t in glob.glob('{TRIALS}')]\""
)
LEFT = "find /sys/fs/cgroup -name 'chatbench-*-*'"
UNIT = (
    ".venv/bin/pytest -q -m cgroup -k 'limit or leave or escape or version_2' "
    "tests/unit/harness/runtimes/local/test_pod.py"
)
DELEGATE = "/etc/systemd/system/user@.service.d/delegate.conf"
#: an engine while the images are built: with the storage of the machine's own, and away from this one's network
IMAGES = f"""\
dockerd --group bench --storage-driver overlay2 --bridge none --iptables=false --ip6tables=false --ip-forward=false \
  >/root/dockerd.log 2>&1 &
engine=$!
for second in $(seq 60); do docker version >/dev/null 2>&1 && break; sleep 1; done
/home/bench/chatbench/compose/base-image &&
  su - bench -c 'cd chatbench && .venv/bin/chatbench setup {TOY} --runtime docker'
code=$?
[ $code = 0 ] || tail -n 3 /root/dockerd.log
kill $engine
wait $engine
exit $code
"""


class NotTriedError(Exception):
    """A row that cannot be tried here; the text says why."""


class Table:
    """The rows; each is printed as it comes, and costs no other where it fails."""

    def __init__(self) -> None:
        self.failed = 0

    def tries(self, system: str, account: str, tried: str, row: Callable[[], str]) -> bool:
        """Do what a row stands for, print it, and return whether it went well."""
        begun_s = time.monotonic()
        try:
            state, found = "ok", row()
        except NotTriedError as reason:
            state, found = "not tried", str(reason)
        except WrongError as wrong:
            state, found = "FAILED", str(wrong)
        except Exception as error:  # noqa: BLE001  # the other rows still have their say
            state, found = "FAILED", f"{type(error).__name__}: {error}"
        self.failed += state == "FAILED"
        cells = (system, account, tried, f"{state}: {found}", f"{(time.monotonic() - begun_s) / 60:.1f} min")
        print(f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |", flush=True)
        return state == "ok"


def ended_well(said: Said) -> str:
    """Return the last line that a command printed; raises WrongError where it failed."""
    if said.code:
        raise WrongError(f"it ended with {said.code}: {shown(said)}")
    return shown(said, 1)


def under_limits(system: System, account: str, said: Said) -> str:
    """Return how many trials had both limits enforced; raises WrongError for one that had not, and for leftovers."""
    lines = [json.loads(line) for line in system.ssh(account, LIMITS).text.splitlines() if line.startswith("{")]
    if not lines:
        raise WrongError(f"no trial was written: {shown(said)}")
    wanted = {"cpu_enforced": True, "memory_enforced": True, "memory_bytes": GIB4, "swap_bytes": 0, "shortfall": None}
    wrong = [f"{name} is {one.get(name)}" for one in lines for name, value in wanted.items() if one.get(name) != value]
    left = system.ssh("root", LEFT)
    if left.code or left.text.strip():
        wrong.append(f"left: {shown(left)}")
    if wrong:
        raise WrongError("; ".join(dict.fromkeys(wrong)))
    return f"both limits enforced in {len(lines)} trial(s), nothing left ({lines[0]['how']})"


def measured(system: System, account: str, command: str) -> str:
    """Run a short campaign; it is well if the kernel held each of its trials to the budget."""
    system.ssh(account, "rm -rf results")
    return under_limits(system, account, system.ssh(account, command, timeout_s=COMMAND_S))


def as_printed(system: System, line: str) -> str:
    """Run the doctor's command as it stands until a trial is written, then stop it as the lock's message says.

    The whole campaign would take a day here.
    """
    if not line:
        raise NotTriedError("the doctor printed no command")
    system.ssh("bench", "rm -rf results")
    with system.started("bench", line) as (campaign, log):
        until(lambda: campaign.poll() is not None or system.ssh("bench", f"ls {TRIALS}").code == 0, COMMAND_S, 20)
        if campaign.poll() is not None:  # a check may fail on so slow a processor
            printed = Said(0, log.read_text(errors="replace"))
            return f"{under_limits(system, 'bench', printed)}; it ended by itself: {shown(printed, 1)}"
        refused = system.ssh("bench", f".venv/bin/chatbench run {TOY}")
        told = re.search(r"kill -INT \d+", refused.text)
        if told is None or system.ssh("bench", told[0]).code:
            raise WrongError(f"it is not measuring: {log.read_text(errors='replace')[-300:]}; {shown(refused)}")
        stopped = until(lambda: campaign.poll() is not None, STOP_S, 5)
        printed = Said(0, log.read_text(errors="replace"))
        if not stopped or "Resume with: " not in printed.text:
            raise WrongError(f"{told[0]} did not stop it with a word on how to resume: {shown(printed)}")
    return f"{under_limits(system, 'bench', printed)}; stopped by {told[0]}"


def doctor(system: System, account: str, *, enforced: bool) -> str:
    """Return the command that the doctor prints for the limits, empty where both are enforced.

    Raises:
        WrongError: it does not say of both limits what is so, or prints a command where none is needed, or none.
    """
    said = system.ssh(account, "COLUMNS=80 .venv/bin/chatbench doctor", timeout_s=STOP_S)
    states = re.findall(r"^\W*(ok|warn|missing)\W+(CPU limit|memory limit)\b", said.text, re.MULTILINE)
    state = "ok" if enforced else "warn"
    found = re.search(r"^for CPU limit.*:\n(.+)$", said.text, re.MULTILINE)
    if said.code or states != [(state, "CPU limit"), (state, "memory limit")] or (found is None) != enforced:
        raise WrongError(f"it says {states or shown(said)}, and {found[1] if found else 'no command'}")
    return found[1] if found else ""


def tests_passed(said: Said) -> str:
    """Return what pytest said last; raises WrongError where a test failed, and where none was run."""
    found = ended_well(said)
    if not re.search(r"\d+ passed", said.text):
        raise WrongError(f"no test was run: {shown(said)}")
    return found


def delegated(system: System) -> None:
    """Let systemd hand all controllers down to the sessions of accounts, and end those that are there."""
    system.ssh("root", f"mkdir -p {Path(DELEGATE).parent}")
    system.ssh("root", f"printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > {DELEGATE}")
    system.ssh("root", "systemctl daemon-reload && loginctl terminate-user bench; sleep 20")


def through(system: System, table: Table, *, images: bool) -> str:
    """Boot the machine, go through its accounts, and return what it is."""
    line = ""

    def look() -> str:
        nonlocal line
        line = doctor(system, "bench", enforced=False)
        return line

    def in_containers() -> str:
        if not images:
            raise NotTriedError("its images could not be built")
        system.ssh("root", "usermod -aG docker bench")
        ended_well(system.ssh("bench", "docker info"))
        return measured(system, "bench", f".venv/bin/chatbench run {TOY} --profile {BRIEF} --runtime docker")

    system.image()
    with system.running():
        facts = system.ssh("root", "uname -r; systemctl --version | head -n 1; python3 --version")
        table.tries(
            MACHINE, "root", "chatbench doctor", lambda: doctor(system, "root", enforced=True) or "both limits enforced"
        )
        table.tries(MACHINE, "root", MEASURE, lambda: measured(system, "root", MEASURE))
        table.tries(MACHINE, "root", UNIT, lambda: tests_passed(system.ssh("root", UNIT, timeout_s=COMMAND_S)))
        table.tries(MACHINE, "plain", "chatbench doctor", look)
        table.tries(MACHINE, "plain", line or "the doctor's command", lambda: as_printed(system, line))
        scope = f"systemd-run --user --scope -p Delegate=yes {MEASURE}"
        delegated(system)
        table.tries(MACHINE, "delegated", scope, lambda: measured(system, "bench", scope))
        table.tries(MACHINE, "plain, in the group `docker`", "chatbench run --runtime docker", in_containers)
    return shown(facts)


def unit_tests(system: System, version: str) -> str:
    """Run the unit tests on a Python, Debian's own or one that uv can fetch."""
    find = f".venv/bin/uv python find --system {version}"
    found = system.inside("root", f"{find} || {{ .venv/bin/uv python install -q {version} && {find}; }}")
    if found.code:
        raise NotTriedError(f"it cannot be fetched here: {shown(found, 1)}")
    python = found.text.splitlines()[0]
    return tests_passed(system.inside("root", f"make unit PYTHON={python} VENV=/tmp/venv", timeout_s=COMMAND_S))


def built_images(system: System) -> str:
    """Install an engine, and build with it what the short campaign needs in containers."""
    install = f"DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends {ENGINE}"
    ended_well(system.inside("root", f"apt-get update -qq && {install}"))
    return ended_well(system.inside("root", IMAGES))


def main() -> None:
    """Build what is missing, go through everything, end with 1 where something failed."""
    if len(sys.argv) != 2 or os.geteuid() != 0:
        raise SystemExit(f"usage, as root: {sys.argv[0]} FOLDER")
    if missing := [package for program, package in NEEDED.items() if not shutil.which(program)]:
        raise SystemExit(f"missing: apt-get install {' '.join(missing)}")
    os.umask(0o022)  # what is written is for every account of the machine
    system, table = System(Path(sys.argv[1]).resolve()), Table()
    system.folder.mkdir(parents=True, exist_ok=True)
    system.build()
    system.write(BRIEF.lstrip("/"), PROFILE)
    setups = {
        "root": f"make .venv/.dev && make setup TARGETS={TOY}",
        "bench": f"make setup && make setup TARGETS={TOY}",  # the doctor's command measures the usual targets
    }
    for account, command in setups.items():
        table.tries(HERE, account, command, lambda who=account, what=command: ended_well(system.inside(who, what)))
    images = table.tries(HERE, "bench", "images of the toy", lambda: built_images(system))
    table.tries(MACHINE, "root", "boot to power off", lambda: through(system, table, images=images))
    for version in PYTHONS:
        table.tries(f"Debian 13, Python {version}", "root", "make unit", lambda one=version: unit_tests(system, one))
    sys.exit(table.failed > 0)


if __name__ == "__main__":
    try:
        main()
    except WrongError as wrong:  # without its files nothing can be tried
        sys.exit(str(wrong))
