"""Starting programs: environment, log, session, and what happens when they cannot be started."""

import ast
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.host import launch, procfs, watchdog
from harness.host.outer import OPEN_FILES

ALL_CPUS = sorted(os.sched_getaffinity(0))


def run(
    tmp_path: Path, *command: str, env: dict[str, str] | None = None, cpus: list[int] | None = None
) -> tuple[int, str]:
    noted: list[int] = []
    process = launch.start(
        command,
        cwd=tmp_path,
        env=env or {"PATH": os.environ["PATH"]},
        log=tmp_path / "logs" / "it.log",
        groups=(),
        cpus=cpus or ALL_CPUS,
        noted=noted.append,
    )
    code = process.wait(20)
    assert noted == [process.pid]
    return code, (tmp_path / "logs" / "it.log").read_text()


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", script)


def test_both_outputs_go_to_the_log_and_the_code_comes_back(tmp_path: Path) -> None:
    code, log = run(
        tmp_path, *python("import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)")
    )
    assert (code, log) == (3, "out\nerr\n")


def test_the_program_leads_a_session_and_reads_nothing(tmp_path: Path) -> None:
    _, log = run(tmp_path, *python("import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '')"))
    assert log == "True True\n"


def test_the_program_keeps_to_its_cpus(tmp_path: Path) -> None:
    _, log = run(tmp_path, *python("import os; print(sorted(os.sched_getaffinity(0)))"), cpus=ALL_CPUS[-1:])
    assert log == f"{ALL_CPUS[-1:]}\n"


def test_soft_limits_are_raised_to_the_hard_ones(tmp_path: Path) -> None:
    """A shell's usual soft limit of 1024 open files is no property of the server that is measured."""
    kinds = [getattr(resource, f"RLIMIT_{name}") for name in ("NOFILE", "AS", "DATA", "NPROC", "CPU")]
    _, log = run(tmp_path, *python(f"import resource; print([resource.getrlimit(kind) for kind in {kinds}])"))
    (soft, hard), *others = ast.literal_eval(log)
    assert soft == resource.RLIM_INFINITY or soft >= min(hard if hard >= 0 else OPEN_FILES, OPEN_FILES)
    assert all(soft == hard for soft, hard in others)


def test_a_program_that_does_not_exist_says_so_in_its_log(tmp_path: Path) -> None:
    code, log = run(tmp_path, "no-such-program-here")
    assert code != 0
    assert "not started" in log
    assert "no-such-program-here" in log


def test_a_group_that_cannot_be_joined_stops_the_start(tmp_path: Path) -> None:
    process = launch.start(
        python("print('ran')"),
        cwd=tmp_path,
        env={},
        log=tmp_path / "it.log",
        groups=(tmp_path / "no-group",),
        cpus=ALL_CPUS,
        noted=lambda _: None,
    )
    assert process.wait(20) != 0
    assert "not started" in (tmp_path / "it.log").read_text()


def test_nothing_outlives_a_program_that_is_run_to_its_end(tmp_path: Path) -> None:
    script = "import os, sys, time; pid = os.fork(); print(pid, flush=True) if pid else time.sleep(600); sys.exit(4)"
    with (tmp_path / "log").open("wb") as output:
        code = launch.run_to_end(python(script), cwd=tmp_path, env={}, output=output, timeout_s=20)
    child = int((tmp_path / "log").read_text())
    assert code == 4
    assert watchdog.session_pids({child}) == []
    assert (
        not Path("/proc", str(child)).exists()
        or procfs.read(f"/proc/{child}/stat").rpartition(")")[2].split()[0] == "Z"
    )


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output, pytest.raises(subprocess.TimeoutExpired):
        launch.run_to_end(python("import time; time.sleep(600)"), cwd=tmp_path, env={}, output=output, timeout_s=0.3)


def test_a_missing_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="nowhere"):
        launch.start(
            ("true",),
            cwd=tmp_path / "nowhere",
            env={},
            log=tmp_path / "it.log",
            groups=(),
            cpus=ALL_CPUS,
            noted=lambda _: None,
        )


def test_secrets_of_this_process_do_not_reach_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_PASSWORD", "hush")
    env = launch.environment({"PORT": "1"}, tmp_path)
    assert set(env) == {"PATH", "HOME", "TMPDIR", "LANG", "PORT"}
    assert env["HOME"] == str(tmp_path)
    _, log = run(tmp_path, *python("import os; print('CLOUD_PASSWORD' in os.environ, os.environ['PORT'])"), env=env)
    assert log == "False 1\n"


def test_the_end_of_a_log_is_shown_without_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "it.log"
    log.write_bytes(b"\n".join(b"line %d" % n for n in range(40)) + b"\n\x1b[31mred \xff\n\n")
    lines = launch.last_lines(log)
    assert len(lines) == 15
    assert lines[0] == "line 26"
    assert lines[-1] == "[31mred \ufffd"
    assert launch.last_lines(tmp_path / "none.log") == []
