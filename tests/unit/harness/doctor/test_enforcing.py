"""Each account gets one command that can be copied whole, or words where no command can help."""

import argparse
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import doctor
from harness.cli.doctor import commands
from harness.doctor.advice import Advice
from harness.doctor.enforcing import Account, command, remedy

PLAIN = Account(user=1000, group=100, groups="v2", systemd=True, sudo=True)
ROOT = Path("/srv/my bots/chatbench")


def test_under_systemd_a_plain_account_gets_a_delegated_unit_of_its_own() -> None:
    assert command(PLAIN, ROOT) == (
        "sudo systemd-run --pipe --wait --collect -p Delegate=yes --uid=1000 --gid=100 "
        "'--working-directory=/srv/my bots/chatbench' make bench"
    )


@pytest.mark.parametrize("account", [replace(PLAIN, systemd=False), replace(PLAIN, groups="v1")])
def test_without_delegation_root_measures(account: Account) -> None:
    assert shlex.split(command(account, ROOT)) == ["sudo", "make", "-C", str(ROOT), "bench"]


def test_without_sudo_it_is_said_that_root_runs_it() -> None:
    account = replace(PLAIN, sudo=False)
    assert command(account, ROOT).startswith("systemd-run ")
    assert remedy(account) == "run the command below as root"


@pytest.mark.parametrize("account", [replace(PLAIN, user=0), replace(PLAIN, groups="none")])
def test_where_no_command_helps_words_say_what_does(account: Account) -> None:
    assert command(account, ROOT) == ""
    assert "command" not in remedy(account)


def test_a_narrow_terminal_cuts_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    long = command(PLAIN, ROOT)
    advice = Advice(name="CPU limit", state="warn", what="seen at unix:///" + "x" * 70, remedy="run it", command=long)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("harness.doctor.examine", lambda _: [advice])
    doctor.run(argparse.Namespace())
    lines = capsys.readouterr().out.splitlines()
    assert long in lines
    assert not any("…" in line for line in lines)


def test_commands_are_lines_of_their_own_each_once(tmp_path: Path) -> None:
    long = command(PLAIN, tmp_path / ("x" * 100))
    found = [
        Advice(name="CPU limit", state="warn", what="not enforced", remedy="run it", command=long),
        Advice(name="memory limit", state="warn", what="not enforced", remedy="run it", command=long),
        Advice(name="disk", state="ok", what="9 GiB"),
        Advice(name="swap", state="warn", what="on", remedy="off", command="sudo swapoff -a"),
    ]
    assert commands(found) == ["", "for CPU limit and memory limit:", long, "", "for swap:", "sudo swapoff -a"]
