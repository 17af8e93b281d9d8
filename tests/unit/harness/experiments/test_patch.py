"""A patch's cost and level."""

import pytest

from harness.experiments.patch import cost, level, read_levels, read_patch

LEVELS = read_levels()
FOLDERS = ["targets/api/django", "targets/web/angular"]


def patch(*files: tuple[str, list[str], list[str]]) -> str:
    """Return a patch that adds and deletes lines of files."""
    return "".join(
        f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n context\n"
        + "".join(f"+{line}\n" for line in added)
        + "".join(f"-{line}\n" for line in deleted)
        for name, added, deleted in files
    )


def test_lines_are_added_and_deleted_ones_without_locks_and_pictures() -> None:
    text = patch(
        ("targets/web/angular/src/a.css", ["++i;", "b"], ["--x", "d", "e"]),
        ("targets/web/angular/package-lock.json", ["1"] * 50, []),
        ("targets/web/angular/public/acme.svg", ["<svg/>"], []),
    )
    found = cost(read_patch(text), FOLDERS, LEVELS)
    assert (found.lines, found.files, found.parts_touched, found.parts) == (5, 1, 1, 2)


def test_parts_are_told_apart_by_their_folders() -> None:
    text = patch(("targets/api/django/a.py", ["a"], []), ("targets/web/angular/b.ts", ["b"], []))
    assert cost(read_patch(text), FOLDERS, LEVELS).parts_touched == 2
    assert cost(read_patch(text), ["targets/web/ang"], LEVELS).parts_touched == 0


@pytest.mark.parametrize(
    ("name", "line", "wanted"),
    [
        ("targets/monolith/streamlit/.streamlit/config.toml", 'font = "Georgia"', 0),
        ("targets/web/angular/angular.json", '"i18n": {}', 0),
        ("targets/monolith/streamlit/chat.py", 'st.container(key="mine")', 1),
        ("targets/monolith/streamlit/chat.py", '".st-key-mine { color: red }"', 1),
        ("targets/monolith/streamlit/chat.py", 'st.markdown("<b>", unsafe_allow_html=True)', 2),
        ("targets/monolith/streamlit/chat.py", '".st-emotion-cache-1abc { color: red }"', 2),
        ("targets/monolith/streamlit/chat.py", '".stChatMessage { color: red }"', 2),
        ("targets/monolith/streamlit/chat.py", '"[data-testid=stSidebar] { color: red }"', 2),
        ("targets/monolith/streamlit/chat.py", "window.parent.document.title", 2),
        ("targets/monolith/streamlit/chat.py", "from streamlit.runtime import get_instance", 2),
        ("targets/web/angular/src/app/a.ts", "this.sanitizer.bypassSecurityTrustHtml(x)", 2),
        ("targets/web/angular/src/app/a.ts", "text[0].stop()", 1),
    ],
)
def test_a_level_follows_the_list(name: str, line: str, wanted: int) -> None:
    found, marks = level(read_patch(patch((name, [line], []))), LEVELS)
    assert found == wanted
    assert bool(marks) == (wanted != 1)


def test_a_setting_beside_code_is_no_longer_one() -> None:
    text = patch(
        ("targets/monolith/streamlit/.streamlit/config.toml", ["a = 1"], []),
        ("targets/monolith/streamlit/a.py", ["a"], []),
    )
    assert level(read_patch(text), LEVELS)[0] == 1


def test_a_picture_leaves_a_setting_one() -> None:
    text = patch(("x/.streamlit/config.toml", ["a = 1"], []), ("x/logo.svg", ["<svg/>"], []))
    assert level(read_patch(text), LEVELS)[0] == 0


def test_a_line_that_is_taken_away_is_no_escape() -> None:
    text = patch(("targets/monolith/streamlit/chat.py", [], ["unsafe_allow_html=True"]))
    assert level(read_patch(text), LEVELS)[0] == 1


def test_every_pattern_has_a_reason_and_a_source() -> None:
    for one in (*LEVELS.setting, *LEVELS.escape, *LEVELS.uncounted):
        assert one.reason
        assert one.source
