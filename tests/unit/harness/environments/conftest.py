"""What the tests of environments share: a PATH of their own, a front end without a network."""

import os
from pathlib import Path

import pytest

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
