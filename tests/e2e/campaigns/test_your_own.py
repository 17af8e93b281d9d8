"""The guide to a chatbot of one's own is true: its commands are typed one after the other, in an empty folder."""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from harness import results
from harness.environments.uv import uv_environment
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.host import lock
from tests import ROOT

GUIDE = (ROOT / "docs" / "your-own.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", GUIDE, flags=re.MULTILINE)[1:]
#: in place of quick: as short as a campaign can be
BRIEF = """
purpose = "the guide's commands"
think_s = 0.3
turns_per_conversation = 2
[answer]
ttft_s = 0.05
itl_s = 0.01
tokens = 5
[window]
measure_min_s = 1
measure_max_s = 2
measure_turns = 4
drain_s = 3
[search]
base_users = 2
growth = 2
precision = 8
repetitions = 1
highest = 2
max_trials = 1
[idle]
steps = [0, 2, 4]
hold_s = 0.5
"""
LIMIT_S = 1_800
#: Ctrl-C is not ignored, whatever started the tests
AS_A_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
)


def commands(section: str) -> list[str]:
    """Return the lines of a section's blocks marked sh."""
    blocks = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


TYPED = {section.splitlines()[0]: commands(section) for section in SECTIONS if commands(section)}


def environment(folder: Path) -> dict[str, str]:
    """Return this process's environment with chatbench on the path, as the guide's first block makes it.

    Temporary files have a folder of their own, and so has the machine's lock: nothing that counts is measured here.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"TMPDIR": str(folder / "tmp"), lock.VARIABLE: str(folder / "tmp")}
    return {**os.environ, **uv_environment(os.environ), "PATH": path, **own}


def typed(command: str, folder: Path) -> None:
    """Run a command to its end; on a busy machine a campaign may be inconclusive."""
    words = shlex.split(command) + (["--profile", "brief.toml"] if " run " in command else [])
    done = subprocess.run(words, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    good = (EXIT_DONE, EXIT_INVALID) if words[1] == "run" else (EXIT_DONE,)
    assert done.returncode in good, f"{command}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr}"


def served(command: str, folder: Path) -> None:
    """Start a chatbot, open its page, stop it as a person would."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", AS_A_TERMINAL, *shlex.split(command)],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(lines))
        assert address is not None, lines
        with urllib.request.urlopen(address[0], timeout=20) as page:
            assert b"<html" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == EXIT_DONE
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_the_guide_has_its_three_walks() -> None:
    assert list(TYPED) == ["A REST API", "Streamlit", "A protocol of your own"]
    programs = [shlex.split(line)[0] for lines in TYPED.values() for line in lines]
    assert set(programs) == {"chatbench", "uv"}
    kinds = {word for lines in TYPED.values() for line in lines if " run " in line for word in line.split()}
    assert {"./mybot", "./mystreamlit", "./mypage"} <= kinds


@pytest.mark.spread
@pytest.mark.parametrize("walk", TYPED)
@pytest.mark.timeout(LIMIT_S)
def test_what_the_guide_says_to_type_works(walk: str, tmp_path: Path) -> None:
    (tmp_path / "brief.toml").write_text(BRIEF)
    for command in TYPED[walk]:
        if " serve " in command:
            served(command, tmp_path)
        else:
            typed(command, tmp_path)
    runs = sorted((tmp_path / "results").iterdir())
    assert len(runs) == sum(" run " in command for command in TYPED[walk])
    for run in runs:
        verdicts = {trial.key.scenario: trial.verdict.outcome for _, trial in results.read_trials(run)}
        assert verdicts["check"] == "pass"
        assert "chat" in verdicts
        assert (run / "report" / "report.html").is_file()


@pytest.mark.long  # the guide's first walk types the same
@pytest.mark.spread
@pytest.mark.timeout(LIMIT_S)
def test_what_the_readme_says_to_type_works(tmp_path: Path) -> None:
    """The README's three lines; ``run`` would take the profile quick, a quarter of an hour: it gets the brief one."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\.venv/bin/(chatbench \w+ \S*mybot)$", readme, re.MULTILINE)
    assert lines == ["chatbench init mybot", "chatbench check ./mybot", "chatbench run ./mybot"]
    (tmp_path / "brief.toml").write_text(BRIEF)
    for line in lines:
        typed(line, tmp_path)
    (run,) = (tmp_path / "results").iterdir()
    assert (run / "report" / "report.html").is_file()


def test_the_first_block_leads_to_an_empty_folder_with_chatbench(tmp_path: Path) -> None:
    """A shell reads it in a folder with the tests' environment; ``make setup`` is run with all documented commands."""
    block = re.search(r"^```\n(make setup .*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert block is not None
    setup, *lines = block[1].splitlines()
    assert setup.startswith("make setup ")
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    home.mkdir()
    checkout.mkdir()
    (checkout / ".venv").symlink_to(Path(sys.executable).parents[1])
    script = "\n".join(["set -e", *lines, "pwd", "command -v chatbench", "ls -A"])
    plain = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", script], cwd=checkout, env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(home / "chatbots"), str(checkout / ".venv" / "bin" / "chatbench")]


def test_code_of_the_page_is_the_templates_own() -> None:
    template = ROOT / "harness" / "part_templates" / "page"
    (section,) = (one for one in SECTIONS if one.startswith("A protocol of your own\n"))
    shown = re.findall(r"^```(python|toml)\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert {language for language, _ in shown} == {"python", "toml"}
    for language, code in shown:
        file = template / {"python": "user.py", "toml": "part.toml"}[language]
        body = file.read_text(encoding="utf-8").replace("my-chatbot", "mypage")
        for line in code.splitlines():
            assert line in body, line
