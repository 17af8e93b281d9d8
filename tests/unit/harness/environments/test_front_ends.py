"""Node.js and front ends: built once, found again, failures shown; nothing here needs a network."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from harness.environments import FrontEnds, front_ends
from harness.errors import BenchError
from tests.unit.harness.environments.conftest import NPM, put


@pytest.fixture
def made(tmp_path: Path, steps: list[str]) -> FrontEnds:
    return FrontEnds(tmp_path / "root", steps.append)


@pytest.mark.parametrize(
    ("version", "suits"),
    [
        *[("v20.20.2", False), ("v22.21.0", False), ("v22.22.0", True), ("v23.9.1", False), ("v24.14.9", False)],
        *[("v24.15.0", True), ("v26.1.0", True), ("", False), ("24.19.0", False)],
    ],
)
def test_angulars_node_versions(version: str, suits: bool) -> None:
    assert front_ends.node_suits(version) is suits


def test_a_suitable_node_of_the_machine_is_used(made: FrontEnds, web_part: Path, bare_path: Path) -> None:
    assert made.ensure_node() == bare_path


def test_a_front_end_is_built_when_its_sources_change(
    made: FrontEnds, steps: list[str], web_part: Path, tmp_path: Path
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


@pytest.mark.parametrize("mode", ["development", "production"])
def test_a_persons_node_settings_decide_neither_packages_nor_build(
    made: FrontEnds, web_part: Path, bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    (tmp_path / "root").mkdir()
    put(bare_path, "npm", NPM.replace("npm $*", "npm $1 [$NODE_ENV]"))
    monkeypatch.setenv("NODE_ENV", mode)
    made.ensure_web(web_part, "dist/browser")
    assert (tmp_path / "calls").read_text().splitlines() == ["npm ci []", "npm run []"]


def test_a_build_may_read_what_git_ignores_and_write_beside_its_sources(
    made: FrontEnds, steps: list[str], web_part: Path, bare_path: Path, tmp_path: Path
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


def test_a_failed_build_shows_its_first_error(made: FrontEnds, web_part: Path, bare_path: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    put(bare_path, "npm", "#!/bin/sh\necho start\necho 'npm error code EUSAGE'\nseq 99\nexit 1\n")
    with pytest.raises(BenchError, match=r"(?s)angular: npm ci ended with 1; from .*EUSAGE\n    1\n") as failure:
        made.ensure_web(web_part, "dist/browser")
    assert "start" not in failure.value.message
    assert "\n    15\n" not in failure.value.message


def test_a_build_without_a_page_is_an_error(made: FrontEnds, web_part: Path, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    with pytest.raises(BenchError, match=r"left no dist/elsewhere/index.html"):
        made.ensure_web(web_part, "dist/elsewhere")


def test_packages_and_builds_are_no_sources(web_part: Path) -> None:
    (web_part / "node_modules").mkdir()
    (web_part / "node_modules/x.js").touch()
    (web_part / "dist").mkdir()
    (web_part / "dist/index.html").touch()
    names = {str(file.relative_to(web_part)) for file in front_ends.source_files(web_part, "dist/browser")}
    assert names == {"package.json", "package-lock.json", "src/index.html"}


def test_npm_versions_come_from_the_lock(web_part: Path) -> None:
    assert front_ends.locked_npm_version(web_part, "@angular/core") == "22.2.1"
    with pytest.raises(BenchError, match="does not lock react"):
        front_ends.locked_npm_version(web_part, "react")


def test_stamps_are_whole_or_absent(tmp_path: Path) -> None:
    stamp = tmp_path / "stamps" / "web.json"
    front_ends._store(stamp, {"sources": hashlib.sha256(b"").hexdigest()})
    assert json.loads(stamp.read_text())["sources"].startswith("e3b0c442")
    assert [file.name for file in stamp.parent.iterdir()] == ["web.json"]
