"""Documentation is true and plain: what it names exists, generated pages are up to date, sentences are short."""

import dataclasses
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from harness.cli import parser
from harness.profiles import load, names
from harness.records import Distribution
from harness.targets import read_part
from harness.trials import duration
from tests import ROOT

TRACKED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
)
FILES = sorted({f for f in TRACKED.stdout.decode().split("\0") if f and (ROOT / f).exists()})
PAGES = [f for f in FILES if f.endswith(".md")]
DOCS = [f for f in PAGES if f.startswith("docs/")]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMMANDS = next(a for a in parser()._actions if a.choices).choices or {}
WORKFLOW = "docs/ci/gate.yml"
README_LINES, SENTENCE_WORDS = 130, 25


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#\s]+)", text(page)):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (ROOT / page).parent.joinpath(link).exists(), f"{page}: {link}"


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings make, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *DOCS])
def test_links_to_headings_lead_to_one(page: str) -> None:
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text(page)):
        if not link.startswith(("http:", "https:")):
            target = (ROOT / page).parent / link if link else ROOT / page
            assert anchor in anchors(target), f"{page}: {link}#{anchor}"


def spoken(page: str) -> str:
    """Return what a page tells to type: all of it, or of a workflow what its steps run."""
    if not page.endswith(".yml"):
        return text(page)
    jobs = yaml.safe_load(text(page))["jobs"].values()
    return "\n".join(step["run"] for job in jobs for step in job["steps"] if "run" in step)


def test_the_workflow_says_what_to_run() -> None:
    assert {"make setup", "chatbench compare"} <= set(re.findall(r"make setup|chatbench compare", spoken(WORKFLOW)))


@pytest.mark.parametrize("page", [*PAGES, WORKFLOW])
def test_make_targets_and_commands_exist(page: str) -> None:
    body = spoken(page)
    for target in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", body, re.MULTILINE):
        assert target in MAKE_TARGETS, f"{page}: make {target}"
    for command in re.findall(r"(?:^|`|bin/)chatbench ([a-z]+)", body, re.MULTILINE):
        assert command in COMMANDS, f"{page}: chatbench {command}"


@pytest.mark.parametrize("page", [*PAGES, WORKFLOW])
def test_options_of_chatbench_exist(page: str) -> None:
    known = {o for one in COMMANDS.values() for a in one._actions for o in a.option_strings}
    for line in spoken(page).splitlines():
        if re.search(r"chatbench [a-z]+ ", line):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line):
                assert option in known, f"{page}: {option}"


@pytest.mark.parametrize("page", PAGES)
def test_paths_of_this_repository_exist(page: str) -> None:
    for path in re.findall(r"`((?:targets|harness|loadtests|reports|tests|docs|requirements)/[\w./+-]+)`", text(page)):
        assert (ROOT / path).exists(), f"{page}: {path}"


def test_the_reference_names_every_profile_and_command() -> None:
    for name in names():
        assert f"`{name}`" in text("docs/profiles.md")
    for name in COMMANDS:
        assert f"## chatbench {name}\n" in text("docs/command-line.md")


def test_generated_pages_are_up_to_date(tmp_path: Path) -> None:
    """Write them all anew, the picture included; its letters and ids are the same wherever it is drawn."""
    subprocess.run([sys.executable, "-m", "docs.generate", str(tmp_path)], cwd=ROOT, check=True, timeout=120)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert {"README.md", "docs/capacity.svg", "docs/results.md", "docs/architecture.md"} <= set(written)
    for path in written:
        assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), f"{path}: run make docs"


def test_every_key_of_a_profile_has_a_meaning() -> None:
    """A key is a field of the dataclass that its table is read into; ``name`` is the file's."""
    meanings = tomllib.loads(text("docs/generate/profile_keys.toml"))
    page = text("docs/profiles.md")
    assert {field.name for field in dataclasses.fields(Distribution)} == set(meanings["distribution"])
    for table, keys in meanings.items():
        heading = {"profile": "Top of the file", "distribution": "A distribution"}.get(table, f"[{table}]")
        section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(keys), table


@pytest.mark.parametrize("page", ["docs/your-own.md", "docs/chatbots.md"])
def test_the_guide_announces_the_time_that_a_run_announces(page: str) -> None:
    announced = re.findall(r"profile `quick`,? (?:and with it|that takes) (\S+ to \S+ minutes)", text(page))
    assert announced == [duration.in_words(*duration.campaign_s(load("quick"), ["./mybot"]))]


RECIPES = re.findall(r"^```toml\n(.*?)^```", text("docs/chatbots.md"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("table", RECIPES)
def test_settings_of_the_recipes_are_those_of_a_part(table: str, tmp_path: Path) -> None:
    head = "" if table.startswith("name") else 'name = "a"\nkind = "monolith"\ntitle = "A"\n'
    (tmp_path / "part.toml").write_text(head + table)
    (tmp_path / "user.py").touch()
    assert read_part(tmp_path).folder == tmp_path


def test_the_readme_fits_its_length() -> None:
    assert len(text("README.md").splitlines()) <= README_LINES


def prose(page: str) -> str:
    """Return a page without what is no sentence: code blocks, tables, comments, links' addresses, pictures."""
    body = re.sub(r"^( *)```.*?^\1```$", "", text(page), flags=re.DOTALL | re.MULTILINE)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"^ *\|.*$", "", body, flags=re.MULTILINE)
    body = re.sub(r"!\[[^]]*\]\([^)]*\)", "", body)
    return re.sub(r"\]\([^)]*\)", "]", body)


def sentences(body: str) -> list[str]:
    """Split prose into sentences: at full stops, at headings, at items of lists, at empty lines."""
    blocks = re.split(r"\n\s*\n|\n *(?:[-*]|\d+\.|#+) ", f"\n{body}")
    return [one for block in blocks for one in re.split(r"(?<=[.?!])[*_)\"]*\s+", " ".join(block.split())) if one]


def test_the_splitter_splits() -> None:
    assert sentences("# Head\n\nOne `a.b` is 3.5 ms.\nTwo! *Three.* Four\n- five\n- six") == [
        "Head",
        "One `a.b` is 3.5 ms.",
        "Two!",
        "*Three.",
        "Four",
        "five",
        "six",
    ]


HAND_WRITTEN = [p for p in ("README.md", "CONTRIBUTING.md", *DOCS) if not text(p).startswith("<!-- Generated")]


@pytest.mark.parametrize("page", [p for p in HAND_WRITTEN if not re.search(r"example/.*(table|beside|pooled)\.md$", p)])
def test_sentences_are_short(page: str) -> None:
    for sentence in sentences(prose(page)):
        assert len(sentence.split()) <= SENTENCE_WORDS, f"{page}: {len(sentence.split())} words: {sentence}"


def test_remarks_on_the_example_runs_are_short() -> None:
    for section, lines in tomllib.loads(text("docs/example/remarks.toml")).items():
        for line in lines:
            assert line.startswith("|") or len(line.split()) <= SENTENCE_WORDS, f"{section}: {line}"


def test_every_page_is_reachable_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, todo = {index}, [index]
    while todo:
        page = todo.pop()
        for link in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if target not in reached and target.is_relative_to(ROOT / "docs") and target.exists():
                reached.add(target)
                todo.append(target)
    assert [page for page in DOCS if ROOT / page not in reached] == []


def test_the_citation_file_has_the_keys_of_its_format() -> None:
    """The required keys and the version; tests/e2e/parts/test_citation.py checks the file against its schema."""
    cited = yaml.safe_load(text("CITATION.cff"))
    assert cited["cff-version"] == "1.2.0"
    assert {"authors", "message", "title"} <= set(cited)
    assert all({"name"} <= set(one) or {"family-names", "given-names"} <= set(one) for one in cited["authors"])
    assert (cited["type"], cited["license"]) == ("software", "Apache-2.0")
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])
    for reference in cited["references"]:
        assert {"authors", "title", "type"} <= set(reference)


def test_the_changelog_names_the_version() -> None:
    version = tomllib.loads(text("pyproject.toml"))["project"]["version"]
    headings = re.findall(r"^## (\S+)", text("CHANGELOG.md"), re.MULTILINE)
    assert version in headings
    assert headings == sorted(headings, key=lambda one: [int(n) for n in one.split(".")], reverse=True)


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
            assert f"{ROOT}/" not in body, name
