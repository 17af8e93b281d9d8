"""The seeded data of a part: made once for each state of its folder, copied for every trial."""

import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness import environments
from harness.environments import sources
from harness.environments.secret import database_password
from harness.errors import BenchError
from harness.host.launch import last_lines
from harness.host.watchdog import Watchdog
from harness.results import slug
from harness.runtimes.local import postgres
from harness.runtimes.local.words import Tools, filled, filled_in
from harness.runtimes.model_settings import model_settings
from harness.runtimes.protocol import SEEDED_USERS, Report
from harness.targets import Part

LIMIT_S = 900.0
KEPT = 12  # states of a part, more than a campaign has: the last that were used
MARK = 12  # digits of the state in a folder's name
SYSTEM = tuple(map(Path, ("/dev", "/proc", "/sys", "/usr")))
APART = re.compile(r"[\s=:,;<>|&()'\"]+")  # what stands between the paths of a shell's command


def template(part: Part, tools: Tools, root: Path, secret: str, seed: int, report: Report) -> Path:
    """Return the folder of a part's seeded data, made once for each state of its folder, its tools and the seed.

    Raises:
        BenchError: a command failed; nothing is left of what it made.
    """
    if not part.local.prepare:
        folder = root / ".chatbench" / "data" / "empty"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = root / ".chatbench" / "data" / f"{slug(part.name)}-{_state(part, tools, secret, seed)[:MARK]}"
    if folder.exists():
        os.utime(folder)  # the last use
        return folder
    _remove_unused(folder)
    report(f"{part.name}: seeding {SEEDED_USERS} users")
    guard = Watchdog()  # a harness that is killed leaves neither programs nor half of the data
    try:
        with environments.making(folder) as fresh:
            guard.watch("folder", fresh)
            fresh.mkdir(mode=0o700)
            _fill(part, tools, fresh, root, secret, seed, guard)
    finally:
        guard.close()
    return folder


def _remove_unused(new: Path) -> None:
    """Remove a part's data but the last that were used: each edit of its folder makes new data."""
    of_part = re.compile(re.escape(new.name[:-MARK]) + rf"[0-9a-f]{{{MARK}}}")
    others = [other for other in new.parent.glob("*") if of_part.fullmatch(other.name)]
    for other in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(other, ignore_errors=True)


def _state(part: Part, tools: Tools, secret: str, seed: int) -> str:
    """Return a digest of all that decides on the data: every file that the commands may read, and how they run."""
    digest = hashlib.sha256(f"{seed}:{secret}:{SEEDED_USERS}:".encode())
    environment = tools.python.parent.parent.name if tools.python else ""
    how = (part.local.prepare, sorted(part.local.env.items()), part.edition, environment)
    digest.update(repr(how).encode(errors="surrogateescape"))
    digest.update(environments.tree_digest(part.folder).encode())
    digest.update(repr(sources.installed(part)).encode())
    for place in (*_named_outside(part), *sources.packages_elsewhere(part)):
        content = environments.tree_digest(place).encode() if place.is_dir() else environments.file_digest(place)
        digest.update(content)
    if tools.postgres:
        digest.update(tools.postgres.name.encode() + (postgres.SETTINGS / "entry").read_bytes())
    return digest.hexdigest()


def _named_outside(part: Part) -> list[Path]:
    """Return the files and folders outside of the part's folder that its commands and variables name.

    A folder around the part's own does not count, for it may be a whole home, nor do the system's.
    """
    inside = part.folder.resolve()
    texts = [*(word for command in part.local.prepare for word in command), *part.local.env.values()]
    found = set[Path]()
    for word in {piece for text in texts for piece in (text, *APART.split(text)) if piece}:
        with suppress(OSError, ValueError, RuntimeError):  # no path: too long, with signs that no path has, a circle
            place = (part.folder / word).resolve()
            if place.is_file() or (place.is_dir() and not inside.is_relative_to(place)):
                found.add(place)
    return sorted(one for one in found if not any(one.is_relative_to(known) for known in (inside, *SYSTEM)))


def _fill(part: Part, tools: Tools, fresh: Path, root: Path, secret: str, seed: int, guard: Watchdog) -> None:
    """Run the part's commands on a fresh folder, and on an empty database where it needs one."""
    log = root / ".chatbench" / "logs" / f"prepare-{slug(part.name)}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    settings = {
        "DATA_DIR": str(fresh),
        "SECRET_KEY": secret,
        "SEED": str(seed),
        **model_settings("http://127.0.0.1:9/v1"),  # nobody is there: preparing asks no model
    }
    values = tools.words() | {"data": str(fresh), "seed": str(seed), "secret": secret, "port": "0"}

    def prepared(address: Mapping[str, str]) -> None:
        known = values | {"postgres": address.get("DATABASE_URL", "")}
        own = filled_in(part.local.env, known)
        variables = {**environments.plain_environment(), **own, **settings, **address}
        for command in part.local.prepare:
            run_once(part, [filled(word, known) for word in command], variables, log, guard)

    if tools.postgres:
        postgres.fill(
            tools.postgres,
            database_password(secret),
            fresh / postgres.FOLDER,
            log.with_name(f"postgres-{slug(part.name)}.log"),
            lambda url: prepared({"DATABASE_URL": url}),
        )
    else:
        prepared({})


def run_once(part: Part, command: list[str], variables: Mapping[str, str], log: Path, guard: Watchdog) -> None:
    """Run one of the part's commands in its folder to its end, with its output in ``log``.

    Raises:
        BenchError: it cannot be started, failed, or did not end in its time; with the last lines that it printed.
    """
    said, ended = shlex.join(command), ""
    with log.open("ab") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=part.folder,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the harness's to answer
            )
        except OSError as absent:
            raise BenchError(
                f"{part.name}: `{said}` cannot be started in {part.folder}: {absent.strerror}",
                f"correct local.prepare in {part.folder / 'part.toml'}, or install that program",
            ) from absent
        guard.watch("session", process.pid)
        try:
            if code := process.wait(LIMIT_S):
                ended = f"ended with {code}"
        except subprocess.TimeoutExpired:
            ended = f"did not end in {LIMIT_S:g} s"
        finally:
            _end(process)
    if ended:
        tail = "".join(f"\n    {line}" for line in last_lines(log)) or "\n    (nothing)"
        raise BenchError(
            f"{part.name}: `{said}` {ended}; the end of {log}:{tail}",
            f"run it by hand in {part.folder}; DATA_DIR is where it puts its data",
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a command and of those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
