"""uv gets the package indexes of pip's settings."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.environments import uv


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
