"""Steps that make things: whole or not at all, with the remedy of what failed."""

from pathlib import Path

import pytest

from harness.environments import steps


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("error: In `--require-hashes` mode, all requirements must have a hash", "uv pip compile --generate-hashes"),
        ("error: No such file or directory (os error 2)", "relative to the part's folder"),
        ("  x No solution found when resolving dependencies", "correct that name or version"),
        ("error: error sending request for url", "package indexes"),
        ("error: something else", "fix that"),
        ("took longer than 900 s", "package indexes"),
    ],
)
def test_the_remedy_of_a_failed_step_is_that_of_its_fault(said: str, hint: str) -> None:
    assert hint in steps._remedy([said])


def interrupted(folder: Path) -> None:
    with steps.making(folder) as place:
        place.mkdir()
        raise KeyboardInterrupt


def test_what_a_killed_process_left_is_removed_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env-1.999").mkdir()
    (tmp_path / ".env-2.999").mkdir()
    with steps.making(tmp_path / "env-1") as place:
        place.mkdir()
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "env-3")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env-2.999", "env-1"]


def test_another_process_being_faster_is_no_error(tmp_path: Path) -> None:
    making, folder = tmp_path / ".making", tmp_path / "made"
    for place in (making, folder):
        place.mkdir()
        (place / "content").touch()
    steps.settle(making, folder)
    assert (making.exists(), folder.exists()) == (False, True)
