"""Real processes under this machine's real control groups, and without any."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.host import cgroups, procfs, watchdog
from harness.host.cgroups import Budget
from harness.records import Role
from harness.runtimes import inside
from harness.runtimes.local import Launch, LocalPod, LocalRuntime
from harness.runtimes.local import pod as local_module
from harness.runtimes.protocol import Pod, Runtime

MIB = 1 << 20
BUDGET = Budget(cpus=1, memory_bytes=256 * MIB)  # one CPU: two would be all of a small machine

SERVER = """
import http.server, sys
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
HOG = """
kept = []
for _ in range(64):
    kept.append(bytearray(b"x" * (8 << 20)))
print("never", flush=True)
"""
BURN = "import time\nwhile time.process_time() < {0}: pass\nprint('done', flush=True)\ntime.sleep(600)"
ESCAPE = """
import os
for cpu in range(os.cpu_count()):
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError:
        pass
    print(sorted(os.sched_getaffinity(0)), flush=True)
"""
TWO_SESSIONS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def open_pod(tmp_path: Path) -> Iterator[Callable[..., LocalPod]]:
    opened: list[LocalPod] = []

    def make(budget: Budget = BUDGET, enforced: bool = True) -> LocalPod:
        runtime = LocalRuntime(budget, cgroups.find if enforced else lambda: None)
        pod = runtime.open_trial("test", tmp_path)
        opened.append(pod)
        return pod

    yield make
    for pod in opened:
        pod.stop()


def program(tmp_path: Path, name: str, script: str, *arguments: str, role: Role = "target", **more: object) -> Launch:
    settings = {"endpoint": None, "ready_url": None, "ready_timeout_s": 20.0} | more
    return Launch(
        name=name,
        role=role,
        command=(sys.executable, "-I", "-S", "-c", script, *arguments),
        cwd=tmp_path,
        env={},
        log=tmp_path / f"{name}.log",
        version="1",
        **settings,  # type: ignore[arg-type]  # the optional fields, of several types
    )


def until(condition: Callable[[], object], what: str) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.01)


def printed(tmp_path: Path, name: str) -> str:
    log = tmp_path / f"{name}.log"
    until(lambda: log.is_file() and log.read_text().endswith("\n"), f"{name} printed nothing")
    return log.read_text()


def gone(pid: int) -> bool:
    return not watchdog.session_pids({pid}) and not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return procfs.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_local_runtime_keeps_the_protocol() -> None:
    runtime: Runtime = LocalRuntime(BUDGET)
    assert isinstance(runtime, LocalRuntime)


@pytest.mark.cgroup
def test_limits_are_effective_and_read_back(open_pod: Callable[..., LocalPod]) -> None:
    limits = open_pod().limits()
    assert limits.cpu_enforced
    assert limits.memory_enforced
    assert len(limits.cpus) == 1
    assert limits.memory_bytes == 256 * MIB
    assert limits.swap_bytes == 0
    assert limits.how in ("cgroup v1", "cgroup v2")


@pytest.mark.cgroup
def test_a_process_cannot_leave_its_cpus(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    pod.start(program(tmp_path, "runaway", ESCAPE))
    assert pod.wait("runaway", 20) == 0
    assert set(printed(tmp_path, "runaway").splitlines()) == {str(list(pod.limits().cpus))}


@pytest.mark.cgroup
def test_a_memory_hog_is_killed_by_the_limit_and_counted(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod(Budget(cpus=1, memory_bytes=64 * MIB))
    pod.start(program(tmp_path, "hog", HOG))
    assert pod.wait("hog", 20) == -signal.SIGKILL
    assert pod.oom_kills() == 1
    assert pod.memory_limit_reached()
    assert pod.exited() == [("hog", -signal.SIGKILL)]
    sample = pod.sample()[0]
    assert sample.oom_kills == 1
    # the kernel charges in batches per CPU: a peak may be some percent above the limit
    assert 48 * MIB < (sample.peak_bytes or 0) <= 1.1 * 64 * MIB
    pod.stop()
    assert pod.oom_kills() == 1
    assert "never" not in (tmp_path / "hog.log").read_text()


@pytest.mark.cgroup
def test_a_kill_by_a_limit_around_everything_is_not_the_targets_own(
    open_pod: Callable[..., LocalPod], tmp_path: Path
) -> None:
    pod = open_pod()
    assert pod._groups is not None
    assert pod._groups.memory is not None
    cgroups._limit_memory(pod._groups.memory, 64 * MIB, pod._groups.version)
    pod.start(program(tmp_path, "hog", HOG))
    assert pod.wait("hog", 20) == -signal.SIGKILL
    assert pod.oom_kills() == 1
    assert not pod.memory_limit_reached()


def test_without_groups_the_target_has_no_limit_of_its_own_to_reach(open_pod: Callable[..., LocalPod]) -> None:
    assert not open_pod(enforced=False).memory_limit_reached()


@pytest.mark.cgroup
def test_the_limit_is_the_stacks_not_each_components(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod(Budget(cpus=1, memory_bytes=96 * MIB))
    hold = "kept = bytearray(64 << 20); print('passed', flush=True); import time; time.sleep(600)"
    pod.start(program(tmp_path, "first", hold))
    printed(tmp_path, "first")
    pod.start(program(tmp_path, "second", hold))
    until(pod.oom_kills, "two halves above the limit were both let be")


@pytest.mark.cgroup
def test_model_and_generator_are_outside_of_the_memory_limit(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod(Budget(cpus=1, memory_bytes=32 * MIB))
    pod.start(program(tmp_path, "llm", "bytearray(b'x' * (64 << 20)); print('held')", role="model"))
    assert pod.wait("llm", 20) == 0
    assert printed(tmp_path, "llm") == "held\n"


@pytest.mark.parametrize("enforced", [pytest.param(True, marks=pytest.mark.cgroup), False])
def test_components_are_accounted_apart(open_pod: Callable[..., LocalPod], tmp_path: Path, enforced: bool) -> None:
    pod = open_pod(enforced=enforced)
    pod.start(program(tmp_path, "busy", BURN.format(0.3)))
    pod.start(program(tmp_path, "large", f"kept = bytearray(b'x' * (40 << 20)); {SLEEP}"))
    pod.start(program(tmp_path, "llm", SLEEP, role="model"))
    for name in ("busy", "large", "llm"):
        printed(tmp_path, name)
    samples = {sample.component: sample for sample in pod.sample()}
    assert list(samples) == ["busy", "large", "llm"]
    assert samples["busy"].cpu_s >= 0.2  # what it took before it joined is not in the group
    assert samples["busy"].cpu_s > samples["large"].cpu_s + samples["llm"].cpu_s
    assert (samples["large"].anon_bytes or 0) >= 40 * MIB > (samples["busy"].anon_bytes or 0)
    assert samples["llm"].role == "model"
    assert {sample.processes for sample in samples.values()} == {1}
    assert max(samples["busy"].process_cpu_s.values()) >= 0.2
    assert (samples["busy"].working_set_bytes is None) == (not enforced)
    assert (samples["busy"].host_busy_s or 0) > 0


def test_the_trials_own_cpu_is_not_foreign(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    pod.start(program(tmp_path, "busy", BURN.format(1.0)))
    before = pod.sample()[0]
    printed(tmp_path, "busy")
    after = pod.sample()[0]
    busy_s = (after.host_busy_s or 0) - (before.host_busy_s or 0)
    own_s = after.cpu_s - before.cpu_s
    assert own_s > 0.5
    assert (after.foreign_cpu_s or 0) - (before.foreign_cpu_s or 0) < busy_s - own_s + 0.1


def test_cpu_of_ended_processes_stays_in_the_account(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "subprocess.run([sys.executable, '-I', '-S', '-c', 'import time\\nwhile time.process_time() < 0.2: pass'])\n"
        "print('done', flush=True); time.sleep(600)"
    )
    pod = open_pod(enforced=False)
    pod.start(program(tmp_path, "parent", script))
    printed(tmp_path, "parent")
    first = pod.sample()[0].cpu_s
    assert first >= 0.15
    pod.signal("parent", signal.SIGKILL)
    pod.wait("parent", 20)
    assert pod.sample()[0].cpu_s == first


def test_without_groups_the_report_says_not_enforced(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod(enforced=False)
    limits = pod.limits()
    assert (limits.cpu_enforced, limits.memory_enforced, limits.how) == (False, False, "affinity only")
    assert any("memory limit not enforced" in note for note in limits.notes)
    pod.start(program(tmp_path, "it", "import os; print(sorted(os.sched_getaffinity(0)))"))
    pod.wait("it", 20)
    assert printed(tmp_path, "it") == f"{list(limits.cpus)}\n"


def test_a_component_is_ready_once_it_answers(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    port = pod.free_port()
    url = f"http://127.0.0.1:{port}"
    component = pod.start(program(tmp_path, "web", SERVER, str(port), endpoint=url, ready_url=f"{url}/ready"))
    assert component.endpoint == url
    assert pod.components() == (component,)
    assert pod.ready_after_s("web") > 0
    pod.start(program(tmp_path, "again", SLEEP, ready_url=f"tcp://127.0.0.1:{port}"))
    assert pod.exited() == []


def test_a_target_that_ends_shows_its_last_lines(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    url = f"http://127.0.0.1:{pod.free_port()}/ready"
    with pytest.raises(BenchError) as failure:
        pod.start(program(tmp_path, "broken", "print('reading settings'); import no_such_thing", ready_url=url))
    assert "broken ended with 1 before it was ready at http://127.0.0.1:" in failure.value.message
    assert "reading settings" in failure.value.message
    assert "ModuleNotFoundError: No module named 'no_such_thing'" in failure.value.message
    assert "requirements" in failure.value.hint


def test_a_target_that_stays_silent_says_how_it_answered(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    port = pod.free_port()
    url = f"http://127.0.0.1:{port}/wrong"
    with pytest.raises(BenchError, match=r"(?s)web did not answer in 1.5 s .*\(HTTP status 404\)"):
        pod.start(program(tmp_path, "web", SERVER, str(port), ready_url=url, ready_timeout_s=1.5))


def test_a_busy_port_is_not_handed_out(open_pod: Callable[..., LocalPod]) -> None:
    pod = open_pod()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        ports = [pod.free_port() for _ in range(50)]
        assert busy.getsockname()[1] not in ports
    assert len(set(ports)) == 50


def test_a_name_is_used_once(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    pod.start(program(tmp_path, "it", SLEEP))
    with pytest.raises(BenchError, match="a component named it"):
        pod.start(program(tmp_path, "it", SLEEP))


@pytest.mark.parametrize("enforced", [pytest.param(True, marks=pytest.mark.cgroup), False])
def test_stop_ends_and_removes_everything(open_pod: Callable[..., LocalPod], tmp_path: Path, enforced: bool) -> None:
    pod = open_pod(enforced=enforced)
    pod.start(program(tmp_path, "it", "import os; os.fork(); " + SLEEP))
    pod.start(program(tmp_path, "ended", "raise SystemExit(3)"))
    pod.wait("ended", 20)
    printed(tmp_path, "it")
    scratch, trees = pod.scratch(), pod._trees
    assert scratch.is_dir()
    assert bool(trees) == enforced
    pids = [int(pid) for pid in pod.sample()[0].process_cpu_s]
    assert len(pids) == 2
    pod.stop()
    pod.stop()
    assert all(gone(pid) for pid in pids)
    assert not scratch.exists()
    assert not any(tree.exists() for tree in trees)
    assert pod.exited() == [("ended", 3)]


@pytest.mark.cgroup
def test_a_child_in_a_session_of_its_own_does_not_escape(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    pod = open_pod()
    pod.start(program(tmp_path, "it", TWO_SESSIONS))
    child = int(printed(tmp_path, "it"))
    assert str(child) in pod.sample()[0].process_cpu_s
    pod.stop()
    assert gone(child)


def test_a_program_deaf_to_sigterm_is_killed(
    open_pod: Callable[..., LocalPod], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_module, "POLITE_S", 0.2)
    pod = open_pod()
    pod.start(program(tmp_path, "deaf", f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"))
    printed(tmp_path, "deaf")
    pod.stop()
    assert pod.wait("deaf", 0) == -signal.SIGKILL


def test_leaving_the_block_stops_the_trial(tmp_path: Path) -> None:
    runtime = LocalRuntime(BUDGET)
    pod: Pod
    with runtime.open_trial("test", tmp_path) as pod:
        pod.start(program(tmp_path, "it", SLEEP))
        assert pod.wait("it", 0) is None
    assert pod.wait("it", 0) is not None


def test_what_a_killed_harness_and_watchdog_left_is_swept(tmp_path: Path) -> None:
    hierarchy = cgroups.find()
    if hierarchy is not None and os.access(hierarchy.own["memory"], os.W_OK):
        ended_pid = 4194999  # above the kernel's largest process id
        left = hierarchy.own["memory"] / f"chatbench-left-{ended_pid}"
        left.mkdir()
        runtime = LocalRuntime(BUDGET)
        runtime.open_trial("test", tmp_path).stop()
        assert not left.exists()


@pytest.mark.cgroup
def test_version_2_groups_hold_and_account_real_processes(tmp_path: Path) -> None:
    """Every Linux of the last ten years has a version 2 mount, at times (hybrid set-ups) without controllers."""
    (tmp_path / "self").mkdir()
    mounts = procfs.read("/proc/self/mountinfo").splitlines(keepends=True)
    (tmp_path / "self/mountinfo").write_text("".join(line for line in mounts if " - cgroup2 " in line))
    (tmp_path / "self/cgroup").write_text(procfs.read("/proc/self/cgroup"))
    runtime = LocalRuntime(BUDGET, lambda: cgroups.find(tmp_path))
    with runtime.open_trial("test", tmp_path) as pod:
        assert len(pod._trees) == 1
        pod.start(program(tmp_path, "busy", BURN.format(0.2)))
        pod.start(program(tmp_path, "two", TWO_SESSIONS))
        printed(tmp_path, "busy")
        child = int(printed(tmp_path, "two"))
        busy, two = pod.sample()
        assert busy.cpu_s > 0.1  # what it took before it joined is not in the group
        assert two.cpu_s < busy.cpu_s
        assert str(child) in two.process_cpu_s
        tree = pod._trees[0]
    assert gone(child)
    assert not tree.exists()


def test_what_a_module_prints_comes_back_from_inside(open_pod: Callable[..., LocalPod], tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    told.write_text('[{"operation": "page", "passed": true}]')
    assert open_pod().inside("reading", "json.tool", [str(told)]) == [{"operation": "page", "passed": True}]


@pytest.mark.parametrize(
    ("module", "words", "said"),
    [
        ("json.tool", ["/nowhere"], r"trying ended with [12]:.*\n.*/nowhere"),
        ("this", [], r"trying printed no list .*\n.*honking great idea"),
    ],
)
def test_a_module_that_fails_inside_is_told_with_the_end_of_what_it_printed(
    open_pod: Callable[..., LocalPod], module: str, words: list[str], said: str
) -> None:
    with pytest.raises(BenchError, match=f"(?s){said}"):
        open_pod().inside("trying", module, words)


def test_a_module_that_does_not_end_inside_is_stopped(
    open_pod: Callable[..., LocalPod], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inside, "LIMIT_S", 2.0)
    pod = open_pod()
    before = children()
    with pytest.raises(BenchError, match="serving did not end within 2 s and was stopped"):
        pod.inside("serving", "http.server", ["--bind", "127.0.0.1", "0"])
    assert children() == before


def children() -> set[int]:
    """Return this process's living children."""
    return {int(pid) for pid in Path("/proc/thread-self/children").read_text().split()}
