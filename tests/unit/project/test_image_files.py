"""The generator's image gets what its probes need: they run from a copy of exactly the files that it is built from."""

import ast
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from harness.probes import audit
from harness.probes.subject import Subject
from harness.records import Finding, from_json, to_json
from harness.targets.part import FEATURES
from tests import ROOT

LOCKS = ("generator.txt", "messages.txt")
#: refuses whatever is neither of this Python, nor of the image's locked packages, nor of the copy
RUN = """
import json, pkgutil, runpy, sys
known = {*json.loads(sys.argv[1]), *sys.stdlib_module_names, "harness", "loadtests"}

class Locked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in known:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, Locked())
sys.argv = sys.argv[2:]
"""
IMPORT_ALL = """
import harness
names = [one.name for one in pkgutil.walk_packages(harness.__path__, "harness.") if not one.name.endswith("__main__")]
for name in names:
    __import__(name)
print(json.dumps([sys.modules[name].__file__ for name in ("harness", *names)]))
"""
TRY = 'runpy.run_module("harness.probes", run_name="__main__", alter_sys=True)'


def rules(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Return the rules of a .dockerignore: whether each lets a path in, and what it matches."""
    lines = [line.strip() for line in text.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    return [(line.startswith("!"), re.compile(pattern(line.removeprefix("!").strip("/")))) for line in wanted]


def pattern(rule: str) -> str:
    """Return a rule as a regular expression: ``*`` stays within a folder's name, ``**`` does not."""
    pieces = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(pieces.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", rule))


def lets_in(path: str, made: list[tuple[bool, re.Pattern[str]]]) -> bool:
    """Tell whether a file gets to the engine: the last rule that matches it, or a folder above it, decides."""
    ways = [path, *map(str, PurePosixPath(path).parents)]
    matching = [let for let, matches in made if any(matches.fullmatch(way) for way in ways)]
    return matching[-1] if matching else True


def copied(dockerfile: str) -> list[str]:
    """Return the folders that a Dockerfile copies into /opt/chatbench."""
    return re.findall(r"^COPY (\S+) /opt/chatbench/\1$", dockerfile, re.MULTILINE)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the generator's image holds of this repository."""
    folder = tmp_path_factory.mktemp("image")
    made = rules((ROOT / ".dockerignore").read_text())
    for top in copied((ROOT / "compose" / "generator" / "Dockerfile").read_text()):
        for file in filter(Path.is_file, (ROOT / top).rglob("*")):
            path = file.relative_to(ROOT)
            if lets_in(path.as_posix(), made):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, folder / path)
    return folder


def run(image: Path, script: str, *words: str) -> Any:
    """Run Python in the image's folder, with its packages alone, and return the JSON that it printed."""
    locked = {
        line.partition("==")[0]
        for name in LOCKS
        for line in (ROOT / "requirements" / name).read_text().splitlines()
        if "==" in line
    }
    plain = re.compile(r"[-_.]+")  # a distribution's name is spelled in more than one way
    there = packages_distributions().items()
    modules = [name for name, of in there if locked & {plain.sub("-", one).lower() for one in of}]
    done = subprocess.run(
        [sys.executable, "-c", RUN + script, json.dumps(modules), "python -m harness.probes", *words],
        cwd=image,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def subject(protocol: str) -> str:
    """Return a subject that does not answer, as JSON."""
    made = Subject(
        target="absent",
        base_url="http://127.0.0.1:9",
        protocol=protocol,
        web=True,
        features=FEATURES,
        seed=1,
        rate_limit=60,
        model_log="/nowhere",
        streamlit_site=sysconfig.get_path("purelib"),
    )
    return json.dumps(to_json(made))


def test_every_module_of_the_image_can_be_imported_there(image: Path) -> None:
    loaded = run(image, IMPORT_ALL)
    assert all(Path(file).is_relative_to(image) for file in loaded), loaded
    names = {str(Path(file).relative_to(image)) for file in loaded}
    assert {"harness/probes/audit.py", "harness/probes/contract/rest.py"} <= names
    assert {name.split("/")[1] for name in names} == {"__init__.py", "errors.py", "probes", "records"}


IMPORT_GENERATOR = """
import loadtests.locustfile
names = [one.name for one in pkgutil.walk_packages(loadtests.__path__, "loadtests.")]
for name in names:
    __import__(name)
print(json.dumps([sys.modules[name].__file__ for name in names]))
"""


def test_every_module_of_the_generator_can_be_imported_there(image: Path) -> None:
    loaded = run(image, IMPORT_GENERATOR)
    names = {str(Path(file).relative_to(image)) for file in loaded}
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "loadtests").rglob("*.py")}
    assert names == sources - {"loadtests/__init__.py"}


def imported(file: Path) -> set[str]:
    """Return the modules that a file imports anywhere in it, functions included; of ``from a import b`` also a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return found


def left_out(files: Iterable[Path], base: Path, made: list[tuple[bool, re.Pattern[str]]]) -> set[str]:
    """Return the modules below a folder that files import and the engine never gets."""
    missing: set[str] = set()
    for name in set().union(*map(imported, files)):
        path = base / name.replace(".", "/")
        module = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
        if module and not lets_in(module.relative_to(ROOT).as_posix(), made):
            missing.add(name)
    return missing


def test_what_the_generators_image_imports_is_in_its_context_but_for_what_needs_a_browser() -> None:
    made = rules((ROOT / ".dockerignore").read_text())
    there = [file for top in ("harness", "loadtests") for file in (ROOT / top).rglob("*.py")]
    missing = left_out((file for file in there if lets_in(file.relative_to(ROOT).as_posix(), made)), ROOT, made)
    assert {name for name in missing if not name.startswith("harness.probes.")} == set()
    assert {".".join(name.split(".")[2:4]).removesuffix(".chromium") for name in missing} == {
        "browser",
        "security.pages",
    }


@pytest.mark.parametrize("part", sorted(one.parent for one in (ROOT / "targets").glob("*/*/Dockerfile")), ids=str)
def test_what_a_parts_image_imports_is_in_its_context(part: Path) -> None:
    made = rules((ROOT / ".dockerignore").read_text())
    there = [file for file in part.rglob("*.py") if lets_in(file.relative_to(ROOT).as_posix(), made)]
    assert left_out(there, part, made) == set()


@pytest.mark.parametrize("dockerfile", sorted((ROOT / "compose").glob("*/Dockerfile")), ids=str)
def test_what_an_image_copies_is_in_its_context(dockerfile: Path) -> None:
    copies_what_is_there(dockerfile)


@pytest.mark.parametrize("dockerfile", sorted((ROOT / "targets").rglob("Dockerfile")), ids=str)
def test_what_a_parts_image_copies_is_in_its_context(dockerfile: Path) -> None:
    copies_what_is_there(dockerfile)


def copies_what_is_there(dockerfile: Path) -> None:
    made = rules((ROOT / ".dockerignore").read_text())
    lines = re.findall(r"^COPY (?!.*--from)(?:--\S+ )*(.+) \S+$", dockerfile.read_text(), re.MULTILINE)
    for source in (word for line in lines for word in line.split() if "${" not in word):
        path = ROOT / source
        files = [path] if path.is_file() else list(filter(Path.is_file, path.rglob("*")))
        assert any(lets_in(one.relative_to(ROOT).as_posix(), made) for one in files), source


@pytest.mark.parametrize("protocol", ["rest", "forms", "streamlit", "openai"])
def test_an_audit_runs_to_its_end_there(image: Path, protocol: str) -> None:
    findings = [from_json(Finding, one) for one in run(image, TRY, "audit", subject(protocol))]
    assert [one.name for one in findings] == [probe.name for probe in audit.probes()]
    stumbled = [one for one in findings if "ModuleNotFound" in str(one) or "probe failed: Import" in one.text]
    assert stumbled == []
    (pages,) = (one for one in findings if one.name == "hostile-answers")
    assert pages.outcome == "not measured"
    assert pages.text.startswith("no application" if protocol == "openai" else "no browser in a sealed container")


@pytest.mark.parametrize("protocol", ["rest", "forms", "streamlit", "openai"])
def test_the_contract_is_checked_to_its_end_there(image: Path, protocol: str) -> None:
    checks = run(image, TRY, "contract", subject(protocol))
    assert checks
    assert not any(one["passed"] for one in checks)
    assert "ModuleNotFound" not in str(checks)


@pytest.mark.parametrize(
    ("path", "let_in"),
    [
        ("harness/probes/audit.py", True),
        ("harness/probes/integration/clients/rest.py", True),
        ("harness/probes/swap.py", False),
        ("harness/probes/browser/person.py", False),
        ("harness/trials/trial.py", False),
        ("harness/probes/__pycache__/audit.cpython-311.pyc", False),
        ("targets/llm/llm/__main__.py", True),
        ("targets/web/angular/part.toml", False),
        ("targets/wishes/brand/test.py", False),
        ("targets/web/angular/node_modules/x/y.js", False),
        ("compose/.env", False),
        ("README.md", False),
    ],
)
def test_rules_of_dockerignore_are_read_as_the_engine_reads_them(path: str, let_in: bool) -> None:
    assert lets_in(path, rules((ROOT / ".dockerignore").read_text())) == let_in
