"""A resumed run goes on with the same targets, machine and program, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from harness import profiles
from harness.cli import REPOSITORY, resuming, typed
from harness.environments.sources import digest_of_measuring
from harness.errors import UsageError
from harness.host import machine
from harness.records import GateTerms, Run, TargetInfo
from harness.runtimes.target_info import target_info
from harness.targets import discover, read_part
from tests import ROOT
from tests.doubles.results_run import PROFILE
from tests.doubles.runtime import FakePrepared

NAME = "./mybot"
CATALOGUE = discover(ROOT / "targets")
VERSIONS = (
    {"name": "mybot", "title": "A", "package": "flask", "version": "3"},
    {"name": "redis", "title": "Redis", "package": "redis-server", "version": "7"},
)


def bot(folder: Path, title: str = "A") -> Path:
    """Write a chatbot into a folder."""
    (folder / "mybot").mkdir(parents=True)
    (folder / "mybot" / "part.toml").write_text(f'name = "mybot"\nkind = "monolith"\ntitle = "{title}"\n')
    (folder / "mybot" / "app.py").write_text("1")
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return bot(tmp_path / "here")


def info_of(folder: Path) -> TargetInfo:
    return target_info(CATALOGUE.target(str(folder / "mybot")), VERSIONS)


def run_begun_in(folder: Path) -> Run:
    return Run(
        run_id="one",
        created_at="2026-01-01T00:00:00+00:00",
        command=("chatbench", "run", NAME),
        tool_version=version("chatbench"),
        seed=1,
        runtime="local",
        profile=PROFILE,
        machine=machine.fingerprint(),
        common_level=10,
        targets={NAME: info_of(folder)},
        directory=str(folder),
        measuring=digest_of_measuring(REPOSITORY),
    )


def prepared(folder: Path) -> dict[str, FakePrepared]:
    target = replace(CATALOGUE.target(str(folder / "mybot")), name=NAME)
    return {NAME: FakePrepared(target=target, seed=1, info=info_of(folder))}


def test_a_folder_is_the_one_that_was_meant_where_the_run_was_begun(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_begun_in(here)
    monkeypatch.chdir(bot(tmp_path / "there", "another"))
    (target,) = resuming.targets_of(run, CATALOGUE)
    assert (target.name, target.title, target.backend.folder) == (NAME, "A", here / "mybot")


def test_a_folder_that_is_gone_is_named_whole(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_begun_in(here)
    here.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path / "moved")
    with pytest.raises(UsageError) as refused:
        resuming.targets_of(run, CATALOGUE)
    assert refused.value.message == f"{here}/mybot/part.toml does not exist"


def test_a_run_that_does_not_say_where_its_folder_was_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    run = replace(run_begun_in(here), directory=None)
    with pytest.raises(UsageError, match=r"run one does not say in which folder \./mybot was"):
        resuming.targets_of(run, CATALOGUE)
    whole = replace(run, targets={f"{here}/mybot": info_of(here), "streamlit": info_of(here)})
    assert [one.name for one in resuming.targets_of(whole, CATALOGUE)] == [f"{here}/mybot", "streamlit"]


def test_the_same_run_is_resumed(here: Path) -> None:
    run = run_begun_in(here)
    resuming.require_same_place(run)
    assert resuming.require_same_targets(run, prepared(here), [NAME]) is False


def edited(here: Path) -> None:
    (here / "mybot" / "app.py").write_text("2")


def swapped(here: Path) -> None:
    (here / "mybot").rename(here / "away")
    bot(here, "A")
    (here / "mybot" / "app.py").write_text("another")


@pytest.mark.parametrize("change", [edited, swapped])
def test_other_files_are_refused_where_trials_are_kept_and_taken_where_none_are(
    here: Path, change: Callable[[Path], None]
) -> None:
    run = run_begun_in(here)
    change(here)
    with pytest.raises(UsageError) as refused:
        resuming.require_same_targets(run, prepared(here), [NAME])
    assert refused.value.message.startswith(f"{NAME} is not what run one measured: files in {here}/mybot changed")
    assert "app.py" in refused.value.message
    assert "start a new run" in refused.value.hint
    assert resuming.require_same_targets(run, prepared(here), ["another"]) is True


def test_packages_from_elsewhere_that_changed_are_refused(here: Path) -> None:
    (here / "more.txt").write_text("flask==3.0")
    (here / "mybot" / "requirements.txt").write_text("-r ../more.txt\n")
    with (here / "mybot" / "part.toml").open("a") as file:
        file.write('[local]\nrequirements = "requirements.txt"\n')
    run = replace(run_begun_in(here), created_at="2100-01-01T00:00:00+00:00")
    assert resuming.require_same_targets(run, prepared(here), [NAME]) is False
    (here / "more.txt").write_text("flask==3.1")
    with pytest.raises(UsageError, match="or packages installed for it from elsewhere, changed"):
        resuming.require_same_targets(run, prepared(here), [NAME])


def test_another_bot_of_the_same_files_but_other_versions_is_refused(here: Path) -> None:
    run, now = run_begun_in(here), prepared(here)[NAME]
    mine, redis = now.info.parts
    for info, said in (
        (replace(now.info, parts=(mine | {"version": "4"}, redis)), "mybot: version was '3', is '4'"),
        (replace(now.info, parts=(mine, redis | {"version": "8"})), "redis: version was '7', is '8'"),
        (replace(now.info, parts=(mine,)), "version was '7', is None"),
        (replace(now.info, instances=2), "instances was 1, is 2"),
    ):
        with pytest.raises(UsageError) as refused:
            resuming.require_same_targets(run, {NAME: replace(now, info=info)}, [NAME])
        assert said in refused.value.message or "name was" in refused.value.message


def test_a_profile_that_was_changed_meanwhile_is_refused(here: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((ROOT / "harness" / "profiles" / "smoke.toml").read_text())
    run = replace(run_begun_in(here), profile=profiles.load(str(file)))
    resuming.require_same_settings(run, profile=str(file), runtime=None, workers=None)
    other = replace(run, profile=replace(run.profile, seed=run.profile.seed + 1))
    with pytest.raises(UsageError, match=r"mine\.toml: run one was begun with profile mine of other settings"):
        resuming.require_same_settings(other, profile=str(file), runtime=None, workers=None)
    resuming.require_same_settings(other, profile=None, runtime=None, workers=None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tool_version": "0.0.1"}, "begun by chatbench 0.0.1, this is "),
        ({"measuring": "0" * 64}, "begun by another state of chatbench"),
        ({"measuring": None}, "begun by another state of chatbench"),
        ({"machine": {}}, "begun on another machine"),
        ({"gate": GateTerms(base="a", head="b", margin=0.05, pairs=5)}, "is a gate's"),
    ],
)
def test_another_program_machine_or_kind_of_run_is_refused(here: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        resuming.require_same_place(replace(run_begun_in(here), **change))  # type: ignore[arg-type]
    assert said in refused.value.message
    assert refused.value.hint


def test_a_part_says_which_files_it_was(here: Path) -> None:
    own, service = info_of(here).parts
    assert len(own["sources"]) == 64
    assert "sources" not in service
    nothing = CATALOGUE.target("no-app")
    assert target_info(nothing, ({"name": "llm"},)).parts == ({"name": "llm"},)
    assert read_part(here / "mybot").name == "mybot"


@pytest.mark.parametrize(
    ("called", "path", "typed_as"),
    [
        ("/a b/.venv/bin/chatbench", "/usr/bin", "'/a b/.venv/bin/chatbench' run --resume '/r (1) & s'"),
        ("/usr/bin/pytest", "/usr/bin", "chatbench run --resume '/r (1) & s'"),
    ],
)
def test_a_command_can_be_typed_in_any_folder(
    monkeypatch: pytest.MonkeyPatch, called: str, path: str, typed_as: str
) -> None:
    monkeypatch.setattr("sys.argv", [called])
    monkeypatch.setenv("PATH", path)
    assert typed.command("run", "--resume", "/r (1) & s") == typed_as


def test_a_program_on_the_path_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "chatbench"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [str(program)])
    assert typed.command("verify") == "chatbench verify"
