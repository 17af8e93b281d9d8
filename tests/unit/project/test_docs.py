"""What Markdown names exists: commands, options, make targets, paths, links; help texts are the program's own."""

import re
import subprocess

import pytest

from harness.cli import parser
from harness.profiles import names
from tests import ROOT

TRACKED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
)
FILES = sorted({f for f in TRACKED.stdout.decode().split("\0") if f and (ROOT / f).exists()})
PAGES = [f for f in FILES if f.endswith(".md")]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMMANDS = next(a for a in parser()._actions if a.choices).choices or {}


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def test_the_help_in_the_readme_is_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    shown = re.search(r"<!-- help -->\n```\n(.*?)```\n<!-- /help -->", text("README.md"), re.DOTALL)
    assert shown is not None
    assert shown[1] == parser().format_help()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", text(page)):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_and_commands_exist(page: str) -> None:
    body = text(page)
    for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", body, re.MULTILINE):
        assert target in MAKE_TARGETS, f"{page}: make {target}"
    for command in re.findall(r"(?:^|`|bin/)chatbench ([a-z]+)", body, re.MULTILINE):
        assert command in COMMANDS, f"{page}: chatbench {command}"


@pytest.mark.parametrize("page", PAGES)
def test_options_of_chatbench_exist(page: str) -> None:
    known = {o for one in COMMANDS.values() for a in one._actions for o in a.option_strings}
    for line in text(page).splitlines():
        if re.search(r"chatbench [a-z]+ ", line):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line):
                assert option in known, f"{page}: {option}"


@pytest.mark.parametrize("page", PAGES)
def test_paths_of_this_repository_exist(page: str) -> None:
    for path in re.findall(r"`((?:targets|harness|loadtests|reports|tests|docs|requirements)/[\w./+-]+)`", text(page)):
        assert (ROOT / path).exists(), f"{page}: {path}"


def test_the_readme_names_every_profile() -> None:
    for name in names():
        assert f"`{name}`" in text("README.md")


def test_lock_files_name_packages_and_hashes_and_no_index() -> None:
    locks = [f for f in FILES if re.search(r"requirements.*\.txt$|package-lock\.json$", f)]
    assert len(locks) >= 6
    for lock in locks:
        body = text(lock)
        assert "://" not in body, lock
        assert "sha256:" in body or '"integrity"' in body, lock
        assert '"resolved"' not in body, lock


def test_the_project_names_no_path_of_a_machine() -> None:
    for name in FILES:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".ts", ".html", ".yaml", ".json", ".txt", ""} and path.is_file():
            body = path.read_text(encoding="utf-8", errors="replace")
            assert str(ROOT.parent) + "/" not in body or str(ROOT.parent) == "/", name
