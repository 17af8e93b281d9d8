"""The generator's image gets what its probes need: they run from a copy of exactly the files that it is built from."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import packages_distributions
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from harness.probes import audit
from harness.probes.subject import Subject
from harness.records import Finding, from_json, to_json
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
    modules = [name for name, of in packages_distributions().items() if locked & {one.lower() for one in of}]
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
        features=("search",),
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
