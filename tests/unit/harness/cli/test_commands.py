"""The command line: what it lists, how light it is, how it answers people's slips."""

import errno
import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

from harness import cli, profiles, results
from harness.cli import REPOSITORY, doctor, lookup, resuming, run, signals, swap, targets
from harness.environments.sources import digest_of_measuring
from harness.errors import EXIT_ERROR, EXIT_INVALID, EXIT_USAGE, BenchError
from harness.host import machine
from harness.records import GateTerms, Run, TargetInfo
from harness.runtimes.local import LocalRuntime
from harness.targets import discover
from harness.trials import campaign
from reports import build
from reports.plots import chat
from tests.doubles import results_run
from tests.doubles.runtime import FakePrepared

COMMANDS = (
    "run",
    "report",
    "verify",
    "compare",
    "targets",
    "check",
    "swap",
    "wishes",
    "serve",
    "init",
    "setup",
    "explain",
    "selftest",
    "doctor",
)
HEAVY = (
    "pandas",
    "numpy",
    "pyarrow",
    "matplotlib",
    "scipy",
    "jinja2",
    "rich",
    "locust",
    "gevent",
    "streamlit",
    "docker",
    "playwright",
)
GATE = GateTerms(base="a", head="b", margin=0.05, pairs=5)
PART = 'name = "mine"\nkind = "monolith"\ntitle = "Mine"\n'


@dataclass(frozen=True, slots=True)
class Said:
    """A command's exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What happened."""
        return self.err.splitlines()[0]

    @property
    def hint(self) -> str:
        """What to do about it."""
        return self.err.splitlines()[1]


Say = Callable[..., Said]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command in this process."""

    def one(*words: str) -> Said:
        try:
            code = cli.main(words)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else -1
        return Said(code, *capsys.readouterr())

    return one


@pytest.fixture
def no_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where anything would be installed or measured, and leave the machine's lock alone."""

    def refuse(*_: object) -> None:
        raise AssertionError("a set-up was begun")

    monkeypatch.setattr(LocalRuntime, "prepare", refuse)
    monkeypatch.setattr(machine, "one_campaign", nullcontext)


def loaded_by(*words: str) -> set[str]:
    """Return the modules a command loads, in a process of its own."""
    script = (
        "import json, sys\nfrom harness.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_lists_every_command(say: Say) -> None:
    said = say("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert f"\n    {command} " in said.out
    assert all(
        line.split()[0] in COMMANDS for line in said.out.splitlines() if line.startswith("    ") and line[4] != " "
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_leads_somewhere(command: str, say: Say) -> None:
    said = say(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: chatbench {command}")
    words = {"check": ["x"], "serve": ["x"], "init": ["x"], "compare": ["x", "y"]}.get(command, [])
    args = cli.parser().parse_args([command, *words])
    assert callable(import_module(f"harness.cli.{args.command}").run)


def test_help_is_light() -> None:
    assert not loaded_by("--help") & {*HEAVY, "harness.results", "harness.targets"}


def test_targets_are_listed_by_what_they_are_put_together_of(say: Say) -> None:
    said = say("targets")
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    found = discover(REPOSITORY / "targets")
    assert sorted(name for line in lines for name in line if name in found.names() and "│" not in line) == sorted(
        found.names()
    )
    webs = sorted(part.name for part in found.of_kind("web"))
    assert [f"django+{web}" for web in webs] in [line[: len(webs)] for line in lines]
    shown = {line[1] for line in lines if line[:1] == ["│"]}
    assert shown >= {part.name for part in found.of_kind("monolith", "api", "web", "no_app")} | {"streamlit:2"}


def test_listing_targets_loads_nothing_that_measures_or_draws() -> None:
    assert not loaded_by("targets") & {*HEAVY} - {"rich"}


def test_a_campaign_leaves_the_generators_libraries_to_the_generator(tmp_path: Path) -> None:
    loaded = loaded_by("run", "no-such-target", "--results", str(tmp_path))
    assert "harness.cli.run" in loaded
    assert not loaded & {"locust", "gevent", "streamlit", "matplotlib", "scipy", "jinja2"}


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (["run", "streamlt"], "unknown target 'streamlt': no part 'streamlt' below targets/", "'streamlit'"),
        (["check", "django+anglar"], "unknown target 'django+anglar'", "'django+angular'"),
        (["serve", "djngo+angular"], "unknown target 'djngo+angular'", "'django+angular'"),
        (["setup", "streamlit", "strmlit"], "unknown target 'strmlit'", "'streamlit'"),
        (["run", "streamlit:3"], "streamlit has no variant '3'", "2"),
        (["run", "angular"], "'angular' is made from web", "a monolith, or an api and a web part"),
        (["run", "--profile", "quik"], "unknown profile 'quik': no quik.toml in ", "'quick'"),
        (["serve", "streamlit", "--profile", "smok"], "unknown profile 'smok'", "'smoke'"),
        (["run", "--runtime", "lokal"], "unknown runtime 'lokal'", "'local'"),
    ],
)
def test_a_slip_is_named_with_the_nearest_valid_word(
    words: list[str], said: str, hint: str, say: Say, no_set_up: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = say(*words)
    assert answer.code == EXIT_USAGE
    assert said in answer.message
    assert hint in answer.hint
    assert answer.err.count("\n") == 2
    assert not list(tmp_path.iterdir())


def test_a_wrong_profile_key_is_named_with_its_file(say: Say, no_set_up: None, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('purpose = "x"\nthink_s = 1\n[answer]\nttft_s = 1\nitl_s = 1\ntokens = 2\n[search]\nhihgest = 5\n')
    said = say("run", "--profile", str(path), "--results", str(tmp_path / "results"))
    assert (said.code, said.message) == (EXIT_USAGE, f"chatbench: {path}: search: unknown key 'hihgest'")
    assert "did you mean 'highest'?" in said.hint


def test_a_profile_file_that_is_absent_is_named(say: Say, no_set_up: None, tmp_path: Path) -> None:
    said = say("run", "--profile", str(tmp_path / "none.toml"))
    assert said.code == EXIT_USAGE
    assert str(tmp_path / "none.toml") in said.message


@pytest.mark.parametrize("command", ["run", "check", "serve", "setup"])
def test_a_wrong_part_key_is_named_with_its_file(command: str, say: Say, no_set_up: None, tmp_path: Path) -> None:
    (tmp_path / "part.toml").write_text(PART + '[local]\nrequirments = "x"\n')
    said = say(command, str(tmp_path))
    assert said.code == EXIT_USAGE
    assert said.message == f"chatbench: {tmp_path}/part.toml: local: unknown key 'requirments'"
    assert "did you mean 'requirements'?" in said.hint


def test_a_folder_that_is_no_part_is_named(say: Say, no_set_up: None, tmp_path: Path) -> None:
    said = say("run", f"{tmp_path}/nowhere")
    assert (said.code, said.message) == (EXIT_USAGE, f"chatbench: {tmp_path}/nowhere/part.toml does not exist")


@pytest.mark.parametrize("words", [["run", "--profil-e", "x"], ["report", "--quick"], ["check"], ["measure"], []])
def test_an_unknown_option_or_command_is_a_usage_error(words: list[str], say: Say) -> None:
    said = say(*words)
    assert said.code == EXIT_USAGE
    assert said.err.startswith("usage: chatbench")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The results folder of a run that measured nothing yet."""
    info = TargetInfo(
        title="Streamlit",
        kind="monolith",
        protocol="streamlit",
        instances=1,
        python_processes=1,
        processes="1 process",
        features=(),
        parts=({"name": "streamlit", "title": "Streamlit", "package": "streamlit", "version": "1"},),
    )
    run = Run(
        run_id="20260101-000000-smoke-aaaa",
        created_at="2026-01-01T00:00:00+00:00",
        command=("chatbench", "run"),
        tool_version=version("chatbench"),
        seed=1,
        runtime="local",
        profile=profiles.load("smoke"),
        machine=machine.fingerprint(),
        common_level=5,
        targets={"streamlit": info},
        directory=str(tmp_path),
        measuring=digest_of_measuring(REPOSITORY),
    )
    results.write_run(tmp_path / run.run_id, run)
    return tmp_path


@pytest.mark.parametrize("words", [["report"], ["verify"], ["run", "--resume"]])
def test_a_missing_run_is_named_with_the_nearest_one(
    words: list[str], say: Say, no_set_up: None, earlier: Path
) -> None:
    said = say(*words, "20260101-000000-smoke-aaab", "--results", str(earlier))
    assert said.code == EXIT_USAGE
    assert said.message == f"chatbench: no run '20260101-000000-smoke-aaab' in {earlier}"
    assert "did you mean '20260101-000000-smoke-aaaa'?" in said.hint


@pytest.mark.parametrize("words", [["report"], ["verify"], ["run", "--resume", "latest"]])
def test_without_any_run_the_hint_is_to_measure(words: list[str], say: Say, no_set_up: None, tmp_path: Path) -> None:
    said = say(*words, "--results", str(tmp_path / "none"))
    assert (said.code, said.message) == (EXIT_USAGE, f"chatbench: no run in {tmp_path}/none")
    assert said.hint == "  measure first: chatbench run"


@pytest.mark.parametrize("words", [["report"], ["run", "--resume"]])
def test_a_damaged_run_is_named(words: list[str], say: Say, no_set_up: None, earlier: Path) -> None:
    (path,) = earlier.glob("*/run.json")
    path.write_text(path.read_text()[:100])
    said = say(*words, "latest", "--results", str(earlier))
    assert said.code == EXIT_ERROR
    assert str(path) in said.message
    assert "restore it or measure again" in said.hint


@pytest.mark.parametrize(
    "words", [["report", "latest"], ["verify"], ["run", "--resume", "latest"], ["compare", "latest", "latest"]]
)
def test_a_run_of_an_earlier_format_is_refused_with_what_reads_it(
    words: list[str], say: Say, no_set_up: None, earlier: Path
) -> None:
    (path,) = earlier.glob("*/run.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 1}))
    said = say(*words, "--results", str(earlier))
    assert said.code == EXIT_ERROR
    assert said.message == f"chatbench: {path} has results format 1, this chatbench reads format 2"
    assert said.hint == "  chatbench 0.1.0 reads it: use that version for this run, or measure again"


def test_resuming_takes_no_targets(say: Say, no_set_up: None, earlier: Path) -> None:
    said = say("run", "streamlit", "--resume", "latest", "--results", str(earlier))
    assert said.code == EXIT_USAGE
    assert "--resume takes the targets of the run it goes on with" in said.message


@pytest.mark.parametrize(
    ("option", "other", "own"), [("profile", "quick", "smoke"), ("runtime", "docker", "local"), ("workers", "2", "1")]
)
def test_resuming_takes_no_other_settings(
    option: str, other: str, own: str, say: Say, no_set_up: None, earlier: Path
) -> None:
    (folder,) = earlier.iterdir()
    said = say("run", "--resume", "latest", "--results", str(earlier), f"--{option}", other)
    assert said.code == EXIT_USAGE
    assert said.message == f"chatbench: --{option} {other}: run {folder.name} was begun with {option} {own}"
    assert said.hint == f"  leave --{option} out to resume it, or start a new run"
    results.write_run(folder, replace(results.read_run(folder), machine={}))
    said = say("run", "--resume", "latest", "--results", str(earlier), f"--{option}", own)
    assert "was begun on another machine" in said.message  # the next that is asked for


def test_a_run_of_another_machine_is_not_resumed(say: Say, no_set_up: None, earlier: Path) -> None:
    (folder,) = earlier.iterdir()
    run = results.read_run(folder)
    results.write_run(folder, replace(run, machine=run.machine | {"cpu_model": "Some other CPU"}))
    said = say("run", "--resume", "latest", "--results", str(earlier))
    assert said.code == EXIT_USAGE
    assert "cpu_model was 'Some other CPU'" in said.message


def test_a_results_folder_that_cannot_be_written_shows_before_any_set_up(
    say: Say, no_set_up: None, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    said = say("run", "streamlit", "--results", str(tmp_path / "file" / "results"))
    assert said.code == EXIT_ERROR
    assert said.message == f"chatbench: {tmp_path}/file/results cannot be written: Not a directory"
    assert "--results" in said.hint


@pytest.fixture
def resumed(
    earlier: Path, monkeypatch: pytest.MonkeyPatch, no_set_up: None
) -> Iterator[Callable[[BaseException], None]]:
    """Have the resumed campaign's first trial end in an error."""

    def fails_with(error: BaseException) -> None:
        def campaign_with_error(*_: object) -> None:
            raise error

        (folder,) = earlier.iterdir()
        monkeypatch.setattr(campaign, "run_campaign", campaign_with_error)
        info = results.read_run(folder).targets["streamlit"]
        monkeypatch.setattr(
            LocalRuntime, "prepare", lambda _, target, *__: FakePrepared(target=target, seed=1, info=info)
        )
        assert results.read_trials(folder) == []

    return fails_with


def test_a_disk_error_says_where_and_how_to_go_on(
    say: Say, earlier: Path, resumed: Callable[[BaseException], None]
) -> None:
    resumed(OSError(28, "No space left on device", "turns.parquet"))
    said = say("run", "--resume", "latest", "--results", str(earlier))
    (folder,) = earlier.iterdir()
    assert said.code == EXIT_ERROR
    assert said.message == (
        f"chatbench: the campaign in {folder} stopped: [Errno 28] No space left on device: 'turns.parquet'"
    )
    assert said.hint.endswith(f"chatbench run --resume {folder}")


def test_an_interrupted_campaign_names_the_command_that_goes_on(
    say: Say, earlier: Path, resumed: Callable[[BaseException], None]
) -> None:
    resumed(KeyboardInterrupt())
    said = say("run", "--resume", "latest", "--results", str(earlier))
    (folder,) = earlier.iterdir()
    assert said.code == 130
    assert f"chatbench run --resume {folder}\n" in said.out
    assert said.message == "chatbench: interrupted; everything that was started has been stopped"


def test_a_results_folder_of_any_name_is_printed_as_it_is_typed(
    say: Say, earlier: Path, resumed: Callable[[BaseException], None]
) -> None:
    resumed(KeyboardInterrupt())
    odd = earlier.parent / "my [results] (1) & more"
    earlier.rename(odd)
    said = say("run", "--resume", "latest", "--results", str(odd))
    (folder,) = odd.iterdir()
    command = said.out.splitlines()[-1].partition("Resume with: ")[2]
    assert shlex.split(command) == ["chatbench", "run", "--resume", str(folder)]
    assert f"'{folder}'" in command
    assert said.code == 130


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"machine": {}}, "was begun on another machine"),
        ({"tool_version": "0.0.1"}, "was begun by chatbench 0.0.1"),
        ({"measuring": "0" * 64}, "was begun by another state of chatbench"),
        ({"gate": GATE}, "is a gate's"),
        ({"parts": ({"name": "django", "sources": "0" * 64},)}, "django is not what run 20260101-000000-smoke-aaaa"),
        ({"parts": ({"name": "flask", "sources": "0" * 64},)}, None),
        ({"parts": ({"name": "redis", "version": "8"},)}, None),
    ],
)
def test_a_swap_is_kept_in_a_run_of_the_same_state_alone(
    say: Say, earlier: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], differs: str | None
) -> None:
    def tried(*_: object) -> None:
        raise BenchError("parts are swapped", "")

    monkeypatch.setattr(machine, "one_campaign", nullcontext)
    monkeypatch.setattr(swap, "tried", tried)
    (folder,) = earlier.iterdir()
    begun = results.read_run(folder)
    if "parts" in change:
        info = replace(begun.targets["streamlit"], parts=change["parts"])  # type: ignore[arg-type]
        change = {"targets": {"one": info}}
    results.write_run(folder, replace(begun, **change))  # type: ignore[arg-type]
    said = say("swap", "django+angular", "--run", str(folder), "--results", str(earlier))
    if differs is None:
        assert said.message == "chatbench: parts are swapped"
    else:
        assert said.code == EXIT_USAGE
        assert differs in said.message
        assert said.hint.endswith("; or leave --run out, for a folder of its own")


@pytest.mark.parametrize("look", [lookup.run_folder, lookup.results_folder])
def test_a_runs_folder_is_absolute_however_it_is_typed(
    look: Callable[[str, Path], Path], earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = earlier.iterdir()
    monkeypatch.chdir(earlier)
    assert look(folder.name, earlier / "none") == folder
    assert look(f"./{folder.name}", earlier / "none") == folder
    assert look("latest", earlier) == folder
    monkeypatch.chdir(folder)
    assert look(".", earlier / "none") == folder


def test_latest_is_the_run_that_was_begun_last(say: Say, no_set_up: None, earlier: Path) -> None:
    (folder,) = earlier.iterdir()
    run = results.read_run(folder)
    later = replace(run, run_id="a-later-one", created_at="2026-01-02T00:00:00+00:00", gate=GATE)
    results.write_run(earlier / later.run_id, later)
    said = say("run", "--resume", "latest", "--results", str(earlier))
    assert said.code == EXIT_USAGE
    assert "run a-later-one is a gate's" in said.message


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_campaign_that_a_signal_ended_names_the_command_that_goes_on(
    say: Say, earlier: Path, resumed: Callable[[BaseException], None], number: signal.Signals, code: int
) -> None:
    resumed(signals.Ended(number))
    said = say("run", "--resume", "latest", "--results", str(earlier))
    (folder,) = earlier.iterdir()
    assert said.code == code
    assert f"chatbench run --resume {folder}\n" in said.out
    assert said.message == f"chatbench: ended by {number.name}; everything that was started has been stopped"


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_set_up: None) -> Path:
    """A run whose trials are all there: to resume it is to write its report."""
    folder = results_run.write_run(tmp_path / "a run", results_run.SMALL, machine=machine.fingerprint())
    monkeypatch.setattr(campaign, "run_campaign", lambda *_: {})
    monkeypatch.setattr(LocalRuntime, "prepare", lambda *_: None)
    monkeypatch.setattr(run, "_swap", lambda *_: None)
    monkeypatch.setattr(run, "_go_on", lambda *_: None)
    monkeypatch.setattr(resuming, "require_same_place", lambda *_: None)
    return folder


def test_a_lost_part_of_the_report_shows_in_words_and_code_and_the_table_is_printed(
    say: Say, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(build, "write_atomically", full)
    monkeypatch.setattr(chat, "draw", lambda *_: [])
    said = say("run", "--resume", str(measured))
    assert said.code == EXIT_ERROR
    assert "Capacity within the SLO" in said.out
    assert said.message.startswith("chatbench: the report lacks 4 part(s): table.md (OSError: [Errno 28] No space left")
    assert said.hint == f"  all samples are kept; write it again: chatbench report '{measured}'"


def test_a_report_that_fails_names_the_command_that_writes_it(
    say: Say, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("capacity_users")

    monkeypatch.setattr(build, "assemble", fails)
    said = say("run", "--resume", str(measured))
    assert said.code == EXIT_ERROR
    assert said.message == "chatbench: the report could not be written: KeyError: 'capacity_users'"
    assert said.hint == f"  all samples are kept. Write it with: chatbench report '{measured}'"


def test_an_error_is_two_lines_without_a_traceback(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> int:
        raise BenchError("the sky fell: 3 pieces", "look up", exit_code=EXIT_INVALID)

    monkeypatch.setattr(doctor, "run", fails)
    said = say("doctor")
    assert (said.code, said.out, said.err) == (EXIT_INVALID, "", "chatbench: the sky fell: 3 pieces\n  look up\n")


def test_a_folder_that_cannot_be_written_is_two_lines_too(
    say: Say, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(doctor, "run", full)
    said = say("doctor")
    assert said.code == 1
    assert said.err.splitlines()[0] == f"chatbench: [Errno 28] No space left on device: '{tmp_path}'"
    assert len(said.err.splitlines()) == 2


def test_a_reader_that_leaves_is_no_error(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(targets, "run", fails)
    said = say("targets")
    assert (said.code, said.err) == (EXIT_ERROR, "")


def test_targets_lists_what_this_checkout_can_measure(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = say("targets")
    assert said.code == 0
    for name in cli.DEFAULT_TARGETS:
        assert name in said.out
