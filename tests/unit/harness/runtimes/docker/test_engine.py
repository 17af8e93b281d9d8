"""Finding the engine and its tools, whose containers are whose, and what is said when something is absent."""

import hashlib
import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError, DockerException, NotFound

from harness.errors import BenchError
from harness.host import procfs
from harness.runtimes.docker import engine
from harness.runtimes.docker.project import Project
from harness.runtimes.inside import tail_of

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a program on an otherwise empty PATH: shell text, in a folder of its own where one is named."""
    folders: list[str] = []
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(engine.COMPOSE_VARIABLE, raising=False)

    def one(name: str, text: str, folder: str = "bin") -> str:
        program = tmp_path / folder / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        if str(program.parent) not in folders:
            folders.append(str(program.parent))
        monkeypatch.setenv("PATH", os.pathsep.join(folders))
        return str(program)

    return one


def answer(status: int, text: str = "no such container") -> APIError:
    response = requests.Response()
    response.status_code = status
    return (NotFound if status == 404 else APIError)(text, response, explanation=text)


def test_an_engine_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(BenchError) as caught:
        engine.connect()
    assert caught.value.message == "the Docker engine at tcp://192.0.2.1:2375 is not on this machine"
    assert "unix socket" in caught.value.hint


def test_an_absent_engine_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(BenchError) as caught:
        engine.connect()
    assert caught.value.message.startswith(f"no Docker engine answers at unix://{tmp_path}/absent.sock (")
    assert "No such file" in caught.value.message
    assert "RUNTIME=local" in caught.value.hint


def test_a_socket_that_nobody_listens_on_is_an_absent_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(f"{tmp_path}/left.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/left.sock")
    with pytest.raises(BenchError, match="refused"):
        engine.connect()


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Make a context of the Docker CLI and use it, in a configuration of its own."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)

    def use(name: str, host: str) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"currentContext": name}))
        described = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
        folder = tmp_path / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        folder.mkdir(parents=True)
        (folder / "meta.json").write_text(json.dumps(described))

    return use


Use = Callable[[str, str], None]


@pytest.mark.parametrize("given", [None, ""], ids=["unset", "empty"])
def test_without_host_and_context_it_is_the_machines_socket(
    contexts: Use, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    if given is not None:
        monkeypatch.setenv("DOCKER_HOST", given)
        monkeypatch.setenv("DOCKER_CONTEXT", given)
    assert engine.address() == engine.SOCKET


def test_the_context_in_use_names_the_engine_for_all_its_programs(
    contexts: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts("rootless", "unix:///run/user/1000/docker.sock")
    monkeypatch.setenv("DOCKER_HOST", "")
    assert engine.address() == "unix:///run/user/1000/docker.sock"
    assert engine.same_engine()["DOCKER_HOST"] == engine.address()
    assert engine.same_engine()["DOCKER_CONTEXT"] == ""  # beside DOCKER_HOST the CLI warns of it
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert engine.address() == engine.SOCKET
    monkeypatch.setenv("DOCKER_HOST", "unix:///tmp/other.sock")
    assert engine.address() == "unix:///tmp/other.sock"


def test_a_context_of_another_machine_is_refused(contexts: Use) -> None:
    contexts("far", "ssh://me@192.0.2.1")
    with pytest.raises(BenchError) as caught:
        engine.connect()
    assert caught.value.message == "the Docker engine at ssh://me@192.0.2.1 is not on this machine"
    assert "docker context use" in caught.value.hint


def test_a_context_that_is_absent_or_damaged_is_named(
    contexts: Use, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    with pytest.raises(BenchError, match="the Docker context 'nowhere' does not exist"):
        engine.address()
    contexts("cut", "unix:///run/docker.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "cut")
    (meta,) = (tmp_path / "contexts" / "meta").glob("*/meta.json")
    meta.write_text("{")
    with pytest.raises(BenchError, match="the Docker context 'cut' cannot be read: "):
        engine.address()


def test_compose_is_called_as_the_variable_says(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("docker", "exit 0")
    monkeypatch.setenv(engine.COMPOSE_VARIABLE, "/opt/docker compose")
    assert engine.compose_command() == ("/opt/docker", "compose")


def test_compose_as_a_plugin_comes_first(install: Install) -> None:
    plugin = install("docker", 'test "$1 $2" = "compose version"')
    install("docker-compose", "exit 0")
    assert engine.compose_command() == (plugin, "compose")


def test_compose_of_a_later_client_on_the_path_is_found(install: Install) -> None:
    install("docker", "exit 1")
    plugin = install("docker", "exit 0", folder="other")
    assert engine.compose_command() == (plugin, "compose")


def test_compose_as_a_program_is_taken_where_there_is_no_plugin(install: Install) -> None:
    install("docker", "exit 1")
    program = install("docker-compose", "exit 0")
    assert engine.compose_command() == (program,)


def test_no_compose_at_all_is_an_error_that_names_packages(install: Install) -> None:
    install("docker", "exit 1")
    with pytest.raises(BenchError) as caught:
        engine.compose_command()
    assert caught.value.message == "Docker Compose is not installed"
    assert "docker-compose-plugin" in caught.value.hint


def test_a_compose_that_does_not_say_its_version_is_unknown(install: Install) -> None:
    assert engine.compose_version([install("docker-compose", "echo 2.26.1")]) == "2.26.1"
    assert engine.compose_version([install("docker-compose", "exit 1")]) == "unknown"


@pytest.mark.parametrize(
    ("said", "builds"),
    [
        ("Docker version 20.10.24+dfsg1, build 297e128", True),
        ("Docker version 28.2.2, build e6534b4", False),  # since 23 only with the plug-in
        ("podman", False),
    ],
)
def test_a_client_without_buildx_builds_only_before_version_23(install: Install, said: str, builds: bool) -> None:
    client = install("docker", f'case $1 in --version) echo "{said}" ;; *) exit 1 ;; esac')
    found, missing = engine.builder()
    assert (found, missing is None) == ((client, True) if builds else ("", False))
    assert builds or "docker-buildx" in str(missing)


def test_a_client_with_buildx_builds(install: Install) -> None:
    client = install("docker", 'test "$1" = buildx')
    assert engine.builder() == (client, None)


def test_a_mark_tells_a_process_from_a_later_one_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # the second field may hold spaces and brackets (proc_pid_stat(5)); the 22nd is the start
    rest = " ".join(str(number) for number in range(3, 40))
    monkeypatch.setattr(procfs, "read", lambda path: f"7 (a) (b c) {rest}" if path == "/proc/7/stat" else "")
    assert engine.harness_mark(7) == "7-22"


def test_a_process_that_ended_and_was_not_waited_for_does_not_live() -> None:
    process = subprocess.Popen(["sleep", "60"])
    mark = engine.harness_mark(process.pid)
    assert engine._lives(mark)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not engine._lives(mark)
    process.wait()


def test_this_process_lives_and_a_namesake_does_not() -> None:
    mark = engine.harness_mark()
    assert mark.startswith(f"{os.getpid()}-")
    assert engine._lives(mark)
    assert not engine._lives(f"{os.getpid()}-1")
    assert not engine._lives("4194999-1")
    assert not engine._lives("nonsense")


class Shelf:
    """Containers or volumes of an engine, as far as sweeping looks at them."""

    def __init__(self, **marks: str) -> None:
        self.left = {name: {engine.HARNESS_LABEL: mark} for name, mark in marks.items()}

    def list(self, filters: dict[str, str], **options: object) -> list[SimpleNamespace]:
        label, _, wanted = filters["label"].partition("=")
        return [self.one(name) for name, labels in self.left.items() if wanted in ("", labels[label])]

    def one(self, name: str) -> SimpleNamespace:
        labels = self.left[name]
        return SimpleNamespace(labels=labels, attrs={"Labels": labels}, remove=lambda **_: self.left.pop(name))


def test_only_what_the_gone_have_made_is_swept() -> None:
    alive, dead, other = engine.harness_mark(), f"{os.getpid()}-1", "4194999-5"
    client: Any = SimpleNamespace(
        containers=Shelf(ours=alive, first=dead, second=dead), volumes=Shelf(kept=alive, data=dead, lonely=other)
    )
    engine.sweep_leftovers(client)
    assert list(client.containers.left) == ["ours"]
    assert list(client.volumes.left) == ["kept"]
    engine.sweep(client, alive)
    assert not client.containers.left
    assert not client.volumes.left


@pytest.mark.parametrize("status", [404, 409])
def test_a_container_that_is_going_already_counts_as_removed(status: int) -> None:
    def remove(**_: object) -> None:
        raise answer(status)

    engine.remove(SimpleNamespace(remove=remove))  # type: ignore[arg-type]  # no more of a container is used


def test_a_container_that_cannot_be_removed_is_an_error() -> None:
    def remove(**_: object) -> None:
        raise answer(500)

    with pytest.raises(APIError):
        engine.remove(SimpleNamespace(remove=remove))  # type: ignore[arg-type]  # no more of a container is used


@pytest.mark.parametrize(
    ("failure", "says", "hint"),
    [
        (answer(404), "looking: no such container", "measure again"),
        (answer(500, "disk full"), "looking: the Docker engine refused: disk full", "chatbench doctor"),
        (
            requests.exceptions.ConnectionError("refused"),
            "looking: the Docker engine went away (refused)",
            "start it again",
        ),
        (requests.exceptions.ReadTimeout("60 s"), "looking: the Docker engine went away (60 s)", "start it"),
        (DockerException("bad answer"), "looking: the Docker engine went away (bad answer)", "start it"),
    ],
)
def test_an_engine_that_fails_says_what_was_being_done(failure: Exception, says: str, hint: str) -> None:
    with pytest.raises(BenchError) as caught, engine.reached("looking"):
        raise failure
    assert caught.value.message == says
    assert hint in caught.value.hint


def test_the_sweeper_runs_without_this_process() -> None:
    python, program, mark = engine.sweeper("1-2")
    assert Path(python).exists()
    assert Path(program) == Path(engine.__file__)
    assert mark == "1-2"


def project(program: str, **settings: str) -> Project:
    files = (Path("one.yaml"), Path("two.json"))
    return Project(name="p", files=files, compose=(program,), client=None, settings=settings)  # type: ignore[arg-type]


def test_compose_is_given_files_name_and_settings(install: Install) -> None:
    program = install("docker-compose", 'echo "$* $SEED $COMPOSE_IGNORE_ORPHANS"')
    said = project(program, SEED="42").call("up", "--detach", "pod")
    assert said == "--project-name p --file one.yaml --file two.json up --detach pod 42 1\n"


def test_a_compose_command_that_fails_shows_its_last_lines(install: Install) -> None:
    program = install("docker-compose", "for n in 1 2 3; do echo line $n; done; echo no such image >&2; exit 3")
    with pytest.raises(BenchError) as caught:
        project(program).up("api")
    assert "`compose up --detach --no-deps --no-build api` ended with 3:" in caught.value.message
    assert caught.value.message.endswith("\n    line 3\n    no such image")
    assert "chatbench doctor" in caught.value.hint


def test_settings_are_not_shown_where_a_project_is() -> None:
    assert "hidden" not in repr(project("docker-compose", SECRET_KEY="hidden"))


def test_a_logs_end_is_shown_without_control_characters() -> None:
    text = "\n".join(f"line {n}" for n in range(20)) + "\n\x1b[31mred\x1b[0m\n\n"
    assert tail_of(text).splitlines()[1] == "    line 6"
    assert tail_of(text).endswith("\n    [31mred[0m")
    assert tail_of(" \n") == "\n    (nothing)"
