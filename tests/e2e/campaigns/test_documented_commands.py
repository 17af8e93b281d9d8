"""Every command in a fenced block of README and docs is run, here at smoke size or by the test that is named for it.

A command that no line of ``KINDS`` knows fails: a new one needs a line there. What a line changes is what makes it
small: the profile, the targets, the folder of the results.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from harness import results
from harness.environments.uv import uv_environment
from harness.errors import EXIT_DONE, EXIT_GATE, EXIT_INVALID
from harness.host import lock
from harness.results import slug
from tests import ROOT
from tests.e2e.campaigns.bad_days_campaign import BRIEF, TOY
from tests.e2e.campaigns.test_your_own import TYPED

#: CONTRIBUTING.md is not among them: `make test` would start this test again, and `.ci/run` is what starts both
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WORKFLOW = ROOT / "docs" / "ci" / "gate.yml"
PATIENCE_S, SMOKE_S, BUILDING_S = 800, 1600, 3600
#: needs systemd, which neither containers nor CI have; what follows it is run
DELEGATED = (
    "sudo systemd-run --pipe --wait --collect -p Delegate=yes --uid=$(id -u) --gid=$(id -g) --working-directory=$PWD"
)
PAIR = {slug("django+angular"), slug("streamlit")}  # what is measured where nobody names targets
GATE_ANSWERS = (EXIT_DONE, EXIT_GATE, EXIT_INVALID)
#: what a line does, by its first match; a test's name where another one types or does exactly this
KINDS: tuple[tuple[str, str], ...] = (
    (r"make bench RUNTIME=docker", "containers"),
    (r"make images", "containers"),
    (r"make base-image", "containers"),
    (r"make bench PROFILE=smoke", "as it stands"),
    (rf"({re.escape(DELEGATED)} )?make bench( (PROFILE|TARGETS|ARGS)=\S.*)?", "campaign"),
    (r"make setup( TARGETS=\S+)?", "set up"),
    (r"chatbench (targets|doctor)", "read"),
    (r"chatbench (verify|report) latest", "read"),
    (
        r"chatbench report RUN RUN RUN",
        "tests/unit/reports/compare/test_sessions.py::test_the_command_pools_runs_and_verify_finds_every_number_again",
    ),
    (r"chatbench compare RUN OTHER-RUN( --\S+)?", "read"),
    (r"chatbench run --resume latest", "read"),
    (r"chatbench compare main (main|\.) --gate( --target \S+)?", "gate"),
    (r"chatbench check django\+angular", "check"),
    (r"chatbench swap", "swap"),
    (r"chatbench serve django\+angular", "serve"),
    (r"locust -f loadtests/locustfile\.py --host \S+ --protocol rest", "serve"),
    (
        r"chatbench selftest",
        "tests/golden/pipeline/test_selftest.py::test_the_command_ends_with_0_where_all_is_found",
    ),
    (
        r"chatbench run \./mybot",
        "tests/e2e/campaigns/test_your_own.py::test_what_the_readme_says_to_type_works",
    ),
    (
        r"(chatbench (init|check|run|serve) \.?/?my\w+.*|uv pip compile .* mybot/.*)",
        "tests/e2e/campaigns/test_your_own.py::test_what_the_guide_says_to_type_works",
    ),
    (
        r"chatbench check targets/examples/\w+",
        "tests/e2e/campaigns/test_examples.py::test_every_example_passes_its_check",
    ),
    (r"chatbench run targets/examples/\w+", "tests/e2e/campaigns/test_examples.py::test_an_example_is_measured"),
    (
        r"(export PATH=\S+|mkdir -p \S+ && cd \S+)",
        "tests/e2e/campaigns/test_your_own.py::test_the_first_block_leads_to_an_empty_folder_with_chatbench",
    ),
    (
        r"(API=\w+ WEB=\w+|APP=\w+) docker compose -p \S+ -f compose/(modular|monolith)\.yaml up",
        "tests/e2e/containers/test_compose.py::test_a_stack_put_up_by_hand_is_chatted_with_and_taken_down",
    ),
)


@cache
def documented() -> dict[str, list[str]]:
    """Return every command line of the fenced blocks, without comments and folders, with the pages that show it."""
    found: dict[str, list[str]] = {}
    for page in PAGES:
        blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
        for block in (block for language, block in blocks if language in ("", "sh")):
            for line in block.splitlines():
                command = re.sub(r"\s+# .*$", "", line).strip().replace(".venv/bin/", "", 1)
                if command and "──>" not in block:
                    found.setdefault(command, []).append(str(page.relative_to(ROOT)))
    for command in of_the_workflow():
        found.setdefault(command, []).append(str(WORKFLOW.relative_to(ROOT)))
    return found


def of_the_workflow() -> list[str]:
    """Return the workflow's own commands, for the first target of its matrix and a base named ``main``."""
    job = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["gate"]
    target = job["strategy"]["matrix"]["target"][0]
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    commands = [line for line in lines if re.match(r"make |.*\bchatbench ", line) and "echo" not in line]
    values = {"${{ matrix.target }}": target, '"$TARGET"': target, '"$BASE"': "main", " || code=$?": ""}
    for name, value in values.items():
        commands = [command.replace(name, value) for command in commands]
    return [command.removeprefix(".venv/bin/") for command in commands]


def kind(command: str) -> str:
    """Return what a command does, "" where nobody knows."""
    return next((name for pattern, name in KINDS if re.fullmatch(pattern, command)), "")


def lines(name: str) -> list[str]:
    """Return the commands of a kind."""
    return [command for command in documented() if kind(command) == name]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the commands of this module put what they make."""

    folder: Path

    def environment(self) -> dict[str, str]:
        """Return an environment with temporary files, and with them the machine's lock, of its own."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"TMPDIR": str(self.folder / "tmp"), lock.VARIABLE: str(self.folder / "tmp")}
        return {**os.environ, **uv_environment(os.environ), "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **own}

    def words(self, command: str, **small: str) -> list[str]:
        """Return a command as words; of make the variables are replaced, of others the options follow."""
        program, *words = shlex.split(command)
        if program != "make":
            return [program, *words, *(word for option in small.items() for word in option)]
        variables = dict(word.split("=", 1) for word in words if "=" in word)
        small["ARGS"] = f"{variables.get('ARGS', '')} {small.get('ARGS', '')}"
        environment = Path(sys.executable).parents[1]  # it is there: make is not to make it anew
        made = [word for mark in (".bench", ".dev") for word in ("--assume-old", str(environment / mark))]
        # whether make makes them is seen by .ci/run, which starts on a clean checkout
        given = (f"{name}={value}" for name, value in ({"VENV": str(environment)} | variables | small).items())
        return [program, *made, *(word for word in words if "=" not in word), *given]

    def do(self, words: list[str], *codes: int, timeout_s: float = PATIENCE_S) -> str:
        """Run words to their end and return what they printed."""
        done = subprocess.run(
            words, cwd=ROOT, env=self.environment(), capture_output=True, text=True, timeout=timeout_s, check=False
        )
        said = f"{shlex.join(words)}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        # make turns every failure into its own 2 and prints the code of what failed
        ended = {done.returncode} if words[0] != "make" else {0, *map(int, re.findall(r"Error (\d+)", done.stderr))}
        assert done.returncode == 0 or ended & set(codes), said
        return done.stdout

    def campaign(
        self,
        command: str,
        results: Path,
        targets: str | None = None,
        *,
        profile: str = "",
        timeout_s: float = PATIENCE_S,
    ) -> Path:
        """Run a documented campaign, briefly unless a profile is named; return its run, which may be unsettled."""
        profile, before = profile or str(self.folder / "brief.toml"), set(results.glob("*"))
        small = {"PROFILE": profile, "ARGS": f"--results {results}"} | ({"TARGETS": targets} if targets else {})
        words = self.words(command.removeprefix(f"{DELEGATED} "), **small)
        self.do(words, EXIT_INVALID, timeout_s=timeout_s)
        (run,) = set(results.glob("*")) - before
        return run


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One folder for all."""
    folder = tmp_path_factory.mktemp("documented")
    (folder / "tmp").mkdir()
    (folder / "brief.toml").write_text(BRIEF)
    return Bench(folder)


@pytest.fixture(scope="module")
def runs(bench: Bench) -> list[Path]:
    """Two short runs of one target, for the commands that read runs."""
    return [bench.campaign("make bench", bench.folder / "read", targets=TOY) for _ in range(2)]


def test_commands_were_found() -> None:
    found = documented()
    assert len(found) >= 30
    pages = {page for pages in found.values() for page in pages}
    assert {"README.md", "docs/containers.md", "docs/first-run.md", "docs/your-own.md"} <= pages
    assert "make bench PROFILE=smoke" in found


@pytest.mark.parametrize("command", documented())
def test_every_documented_command_is_run_by_a_test(command: str) -> None:
    assert kind(command), f"{documented()[command]}: {command!r} is in no line of KINDS"


def test_an_unknown_command_is_found_out() -> None:
    assert not kind("chatbench dance")
    assert not kind("make bench RUNTIME=docker PROFILE=smoke")


@pytest.mark.parametrize("name", [name for _, name in KINDS if "::" in name])
def test_the_tests_that_are_named_exist(name: str) -> None:
    file, _, function = name.partition("::")
    assert function.startswith("test_"), name  # a helper runs nothing
    assert re.search(rf"^def {function}\(", (ROOT / file).read_text(), re.MULTILINE), name


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in KINDS])
def test_no_line_of_kinds_is_left_over(pattern: str) -> None:
    assert any(re.fullmatch(pattern, command) for command in documented()), pattern


def test_the_guide_is_typed_as_a_whole() -> None:
    """What is left to the guide's test is one of the lines that it types."""
    guide = {command for walk in TYPED.values() for command in walk}
    for command in lines("tests/e2e/campaigns/test_your_own.py::test_what_the_guide_says_to_type_works"):
        assert command in guide, command


@pytest.mark.parametrize("command", lines("set up"))
def test_set_up(bench: Bench, command: str) -> None:
    assert "ready: " in bench.do(bench.words(command), timeout_s=BUILDING_S)


def test_the_workflows_commands_were_found() -> None:
    assert of_the_workflow() == [
        'make setup TARGETS="streamlit"',
        "chatbench compare main . --gate --target streamlit",
    ]


def measured(run: Path) -> set[str]:
    """Return the targets that a run has chats of."""
    return {path.parents[2].name for path in run.glob("trials/*/chat/*/turns.parquet")}


@pytest.mark.alone
@pytest.mark.parametrize("command", lines("as it stands"))
@pytest.mark.timeout(SMOKE_S + 100)
def test_the_first_command_as_it_stands(bench: Bench, command: str) -> None:
    """Profile and targets are those that the README's reader gets; only the folder of the results is another."""
    run = bench.campaign(command, bench.folder / "as-it-stands", profile="smoke", timeout_s=SMOKE_S)
    assert (run / "report" / "report.html").is_file()
    assert measured(run) == PAIR
    audits = [folder for folder, trial in results.read_trials(run) if trial.key.scenario == "audit"]
    found = {folder.parents[1].name: {one.name: one for one in results.read_audit(folder)} for folder in audits}
    assert {name: found[name]["scripted-tasks"].passed for name in PAIR} == dict.fromkeys(PAIR, 10)


@pytest.mark.long  # the first command measures as well
@pytest.mark.parametrize("command", lines("campaign"))
@pytest.mark.timeout(2 * PATIENCE_S)
def test_campaign(bench: Bench, command: str) -> None:
    one_is_enough = "PROFILE" not in command and "TARGETS" not in command  # the other lines name what they measure
    run = bench.campaign(command, bench.folder / "campaigns", TOY if one_is_enough else None)
    assert (run / "report" / "report.html").is_file()
    assert list(run.glob("trials/*/chat/*/turns.parquet"))


@pytest.mark.xdist_group("reading")
@pytest.mark.parametrize("command", lines("read"))
@pytest.mark.timeout(2 * PATIENCE_S)
def test_reading(bench: Bench, runs: list[Path], command: str) -> None:
    small = {} if re.fullmatch(r"chatbench (targets|doctor)", command) else {"--results": str(runs[0].parent)}
    written = command.replace("OTHER-RUN", runs[1].name).replace("RUN", runs[0].name)
    assert bench.do(bench.words(written, **small), *([EXIT_INVALID] if "--resume" in command else []))


@pytest.mark.parametrize(
    "command",
    # the same with other words for a repository of one's own
    [pytest.param(one, marks=pytest.mark.long if "main main" in one else ()) for one in lines("gate")],
)
@pytest.mark.timeout(2 * PATIENCE_S)
def test_gate(bench: Bench, command: str) -> None:
    """A clone of a pull request may lack a branch ``main``: HEAD stands for it. Any of the three answers will do."""
    results = bench.folder / "gates" / str(len(command))
    small = {"--profile": str(bench.folder / "brief.toml"), "--pairs": "3", "--margin": "0.9"}
    bench.do(bench.words(command.replace("main", "HEAD"), **small, **{"--results": str(results)}), *GATE_ANSWERS)
    (run,) = results.iterdir()
    assert {"gate.xml", "gate.md", "gate.json"} <= {path.name for path in (run / "report").iterdir()}


@pytest.mark.parametrize("command", lines("check"))
def test_check(bench: Bench, command: str) -> None:
    assert bench.do(bench.words(command))


@pytest.mark.browser
@pytest.mark.parametrize("command", lines("swap"))
def test_swap(bench: Bench, command: str) -> None:
    """One pair; tests/e2e/parts/test_swap.py walks through all of them."""
    said = bench.do([*bench.words(command, **{"--results": str(bench.folder / "swap")}), "django+angular"])
    assert "1 of 1 pairs work" in said


@contextmanager
def serving(bench: Bench, command: str) -> Iterator[str]:
    """Start a target as documented, give its address, stop it with Ctrl-C as a person would."""
    unignored = "import os, signal, sys; signal.signal(2, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
    words = [sys.executable, "-I", "-S", "-c", unignored, *shlex.split(command)]
    started = subprocess.Popen(
        words, cwd=ROOT, env=bench.environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with started as process:
        try:
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            address = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert address is not None, said
            yield address[0]
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == EXIT_DONE
        finally:
            process.kill()


def test_a_served_target_shows_its_page_and_carries_locust_by_hand(bench: Bench) -> None:
    serve, locust = lines("serve")
    with serving(bench, serve) as address:
        with urllib.request.urlopen(address, timeout=20) as page:
            assert b"<html" in page.read()
        brief = ["--headless", "--users", "2", "--spawn-rate", "2", "--run-time", "20s", "--think-s", "0.5"]
        by_hand = re.sub(r"--host \S+", f"--host {address}", locust)
        said = bench.do([*shlex.split(by_hand), *brief, "--only-summary", "--json", "--loglevel", "ERROR"])
    assert '"whole answer"' in said


#: tests/e2e/containers/test_campaign.py measures both targets in containers, audits and all
LONG = {"make bench RUNTIME=docker": pytest.mark.long}


@pytest.mark.docker
@pytest.mark.parametrize("command", [pytest.param(one, marks=LONG.get(one, ())) for one in lines("containers")])
@pytest.mark.timeout(BUILDING_S)
def test_in_containers(bench: Bench, command: str) -> None:
    """The default pair is measured; of one target the images are made.

    Whoever runs this has an engine, and root where there is no base image yet.
    """
    if command.startswith("make bench"):
        run = bench.campaign(command, bench.folder / "containers", profile="smoke", timeout_s=BUILDING_S - 100)
        assert measured(run) == PAIR
        assert list(run.glob("trials/*/chat/*/containers.json"))
    else:
        said = bench.do(bench.words(command, TARGETS="streamlit"), timeout_s=BUILDING_S)
        assert "ready: " in said or "BASE_IMAGE=" in said
