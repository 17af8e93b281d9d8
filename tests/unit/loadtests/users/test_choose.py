"""A chatbot's own user class: its file, and modules beside it."""

import sys
from pathlib import Path

import pytest

from loadtests.users.choose import page_class

OWN = """
from loadtests.page import Page
import helper_of_mine

class Own(Page):
    word = helper_of_mine.WORD
    def connect(self): ...
    def new_conversation(self): ...
    def ask(self, text, nonce, reading): ...
"""


@pytest.mark.parametrize("place", ["bot", "a:b c++%2F"])
def test_a_user_class_may_import_a_module_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = tmp_path / place
    folder.mkdir()
    (folder / "helper_of_mine.py").write_text("WORD = 'found'\n")
    (folder / "json.py").write_text("raise RuntimeError('a module of the standard library is hidden')\n")
    (folder / "user.py").write_text(OWN)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "helper_of_mine", raising=False)
    assert page_class("mine", f"{folder}/user.py:Own").word == "found"  # type: ignore[attr-defined]  # its own
    assert sys.path[-1] == str(folder)


def test_what_a_user_class_raises_when_it_is_read_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "user.py").write_text("import nowhere_at_all\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ValueError, match=r"(?s)user\.py cannot be read\nTraceback.*No module named 'nowhere_at_all'"):
        page_class("mine", f"{tmp_path}/user.py:Own")


def test_methods_that_are_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    file = tmp_path / "user.py"
    file.write_text("from loadtests.page import Page\n\nclass Half(Page):\n    def connect(self): ...\n")
    with pytest.raises(ValueError, match="Half lacks ask, new_conversation: write every method"):
        page_class("mine", f"{file}:Half")
