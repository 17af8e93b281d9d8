"""A target that reaches a limit of its own process is told by the words of its log."""

from pathlib import Path

import pytest

from harness.trials import logs


def write(folder: Path, name: str, text: str) -> None:
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / f"{name}.log").write_text(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("OSError: [Errno 24] Too many open files", "Too many open files"),
        ("Error: accept EMFILE", "EMFILE"),
        ("RuntimeError: can't start new thread", "can't start new thread"),
        ("fork: Cannot allocate memory", "Cannot allocate memory"),
    ],
)
def test_the_first_log_that_names_a_limit_is_named_with_its_words(tmp_path: Path, line: str, words: str) -> None:
    write(tmp_path, "postgres", "ready\n")
    write(tmp_path, "django", f"started\n{line}\nstopped\n")
    assert logs.named_limit(tmp_path, ["absent", "postgres", "django"]) == f"logs/django.log: {words}"


def test_logs_without_such_words_and_of_others_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "django", "started\n")
    write(tmp_path, "generator", "Too many open files\n")
    assert logs.named_limit(tmp_path, ["django"]) is None


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOOKED_AT_BYTES", 10)
    write(tmp_path, "django", "EMFILE" + 10 * ".")
    assert logs.named_limit(tmp_path, ["django"]) is None
    write(tmp_path, "django", 10 * "." + "EMFILE")
    assert logs.named_limit(tmp_path, ["django"]) == "logs/django.log: EMFILE"
