"""PostgreSQL without containers: a real one, seeded once, copied for a trial, counted with the target."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.environments import POSTGRES_PROGRAMS, Environments
from harness.errors import BenchError
from harness.host import unprivileged
from harness.runtimes.local import LocalRuntime, postgres, services
from tests import ROOT

PASSWORD = "letters1and2digits"
FILLING = "CREATE TABLE said (words text); INSERT INTO said VALUES ('grüße')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The programs, and a folder of seeded data."""

    programs: Path
    data: Path


def ask(programs: Path, url: str, statement: str) -> str:
    """Return the answer of the database to one statement."""
    psql = [str(programs / POSTGRES_PROGRAMS / "psql"), url, "--no-psqlrc", "--tuples-only", "--no-align"]
    done = subprocess.run([*psql, "--command", statement], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    folder = tmp_path_factory.mktemp("seeded")
    programs, _ = Environments(ROOT, print).ensure_postgres()
    log = folder / "postgres.log"
    template = folder / "data" / postgres.FOLDER
    postgres.fill(programs, PASSWORD, template, log, lambda url: print(ask(programs, url, FILLING)))
    return Seeded(programs=programs, data=template.parent)


@pytest.fixture
def runtime() -> Iterator[LocalRuntime]:
    opened = LocalRuntime()
    yield opened
    opened.close()


def test_a_trial_finds_the_seeded_data_under_the_settings_of_the_containers(
    seeded: Seeded, runtime: LocalRuntime, tmp_path: Path
) -> None:
    with runtime.open_trial("postgres", tmp_path / "trial") as pod:
        data = Path(shutil.copytree(seeded.data, pod.scratch() / "data"))
        server = postgres.restored(seeded.programs, data, pod.scratch(), PASSWORD)
        url = services.launch_postgres(pod, server, tmp_path / "postgres.log", "18")
        assert ask(seeded.programs, url, "SELECT words FROM said") == "grüße"
        assert ask(seeded.programs, url, "SHOW server_encoding") == "UTF8"
        wanted = dict(
            line.split(" = ")
            for line in (postgres.SETTINGS / "postgresql.conf").read_text().splitlines()
            if " = " in line
        )
        for name in ("synchronous_commit", "shared_buffers", "max_connections", "jit", "wal_level"):
            assert ask(seeded.programs, url, f"SHOW {name}") == wanted[name]
        assert ask(seeded.programs, url, "SHOW fsync") == "on"
        assert ask(seeded.programs, url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == "f"
        with pytest.raises(subprocess.CalledProcessError):
            ask(seeded.programs, url.replace(PASSWORD, "wrong"), "SELECT 1")
        (sample,) = pod.sample()
        assert (sample.component, sample.role) == ("postgres", "target")
        assert sample.cpu_s > 0
        assert (sample.anon_bytes or 0) > 2**20
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in sample.process_cpu_s}
        assert owners == {unprivileged.NOBODY if os.geteuid() == 0 else os.geteuid()}
        pids, scratch = tuple(sample.process_cpu_s), pod.scratch()
    assert len(pids) > 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not scratch.exists()


def test_a_cluster_that_is_damaged_is_an_error_with_what_postgres_said(
    seeded: Seeded, runtime: LocalRuntime, tmp_path: Path
) -> None:
    with runtime.open_trial("postgres", tmp_path / "trial") as pod:
        data = Path(shutil.copytree(seeded.data, pod.scratch() / "data"))
        (data / postgres.FOLDER / "global" / "pg_control").unlink()
        server = postgres.restored(seeded.programs, data, pod.scratch(), PASSWORD)
        with pytest.raises(BenchError, match=r"(?s)postgres ended with .*pg_control"):
            services.launch_postgres(pod, server, tmp_path / "postgres.log", "18")


def test_seeding_that_fails_leaves_no_template_and_no_process(seeded: Seeded, tmp_path: Path) -> None:
    log, template = tmp_path / "postgres.log", tmp_path / "data"

    def fail(url: str) -> None:
        raise BenchError(f"the part's own command failed on {url.partition('@')[2]}", "fix it")

    with pytest.raises(BenchError, match=r"own command failed on 127\.0\.0\.1"):
        postgres.fill(seeded.programs, PASSWORD, template, log, fail)
    assert not template.exists()
    assert "ready to accept connections" in log.read_text()


def test_a_server_that_cannot_start_says_why(seeded: Seeded, tmp_path: Path) -> None:
    broken = tmp_path / "programs"
    (broken / POSTGRES_PROGRAMS).mkdir(parents=True)
    for name in ("initdb", "postgres"):
        program = broken / POSTGRES_PROGRAMS / name
        program.write_text("#!/bin/sh\necho 'no space left on device' >&2\nexit 1\n")
        program.chmod(0o755)
    with pytest.raises(postgres.PostgresError, match=r"(?s)before it was ready.*no space left on device"):
        postgres.fill(broken, PASSWORD, tmp_path / "data", tmp_path / "postgres.log", lambda _: None)
