"""The logs of a checked or served target: gone after a success, whole where something failed."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.cli import kept
from harness.errors import BenchError, UsageError
from harness.records import Role

ROLES: dict[str, Role] = {"llm": "model", "bot": "target", "generator": "generator", "silent": "target"}


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kept, "REPOSITORY", tmp_path)
    return tmp_path


def left(repository: Path) -> list[Path]:
    return list((repository / ".chatbench" / "logs").iterdir())


def test_logs_go_with_a_success(repository: Path) -> None:
    with kept.logs("check", "./my bot") as logs:
        assert logs.folder.is_dir()
        assert logs.folder.name.startswith("check-my-bot-")
    assert left(repository) == []


@pytest.mark.parametrize("kind", [BenchError, UsageError])
def test_an_error_keeps_them_and_names_their_folder(repository: Path, kind: type[BenchError]) -> None:
    with pytest.raises(BenchError) as failed, kept.logs("check", "bot"):
        raise kind("it died", "look there")
    (folder,) = left(repository)
    assert (failed.value.message, failed.value.hint) == ("it died", f"look there; its logs are in {folder}/logs")
    assert failed.value.exit_code == kind("", "").exit_code


def test_any_other_fault_keeps_them_and_an_interruption_does_not(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), kept.logs("serve", "bot"):
        raise KeyboardInterrupt
    assert left(repository) == []
    with pytest.raises(ZeroDivisionError), kept.logs("serve", "bot"):
        raise ZeroDivisionError
    assert len(left(repository)) == 1


def test_the_ends_of_the_targets_and_the_generators_logs_are_shown(repository: Path) -> None:
    console = Console(width=40, record=True, file=io.StringIO())
    with kept.logs("check", "bot") as logs:
        (logs.folder / "logs").mkdir()
        for name in ("llm", "bot", "generator"):
            (logs.folder / "logs" / f"{name}.log").write_text(f"{name} began\n" * 30 + f"[{name}] Traceback\n")
        logs.show(console, ROLES)
    shown = console.export_text()
    assert f"the end of {logs.folder}/logs/bot.log:\n" in shown  # whole, however narrow the terminal is
    assert "  [bot] Traceback\n" in shown
    assert "  [generator] Traceback\n" in shown
    assert "llm" not in shown.replace(str(logs.folder), "")
    assert "silent" not in shown
    assert (logs.folder / "logs" / "bot.log").is_file()
