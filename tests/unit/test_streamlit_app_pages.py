"""The Streamlit chatbot's pages, run by Streamlit's own test harness."""

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

PART = Path(__file__).parents[2] / "targets" / "monolith" / "streamlit"
MODULES = [path.stem for path in PART.glob("*.py")]
PASSWORD = "correct horse"


class FakeModel:
    """Answers from a list: texts, or an error after them."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, str]]] = []
        self.answers: list[list[str | Exception]] = []

    def stream(self, messages: list[dict[str, str]]) -> Iterator[str]:
        self.asked.append(messages)
        for item in self.answers.pop(0) if self.answers else ["Some ", "**answer**"]:
            if isinstance(item, Exception):
                raise item
            yield item


class Program:
    """The program's modules, its data and its model."""

    def __init__(self, modules: dict[str, ModuleType], model: FakeModel) -> None:
        self.modules = modules
        self.model = model
        self.opened = 0
        self.store: Any = modules["store"].get_store()

    def load(self, name: str) -> Any:
        """Import a module that the pages do not need."""
        return importlib.import_module(name)

    def page(self, username: str | None = None, script: Callable[[], None] | None = None) -> AppTest:
        """Run the program as this user; ``script`` runs in its place if given."""
        main = str(PART / "main.py")
        page = AppTest.from_function(script) if script else AppTest.from_file(main)
        page.default_timeout = 60
        # AppTest has no cookies: the session is given, as the cookie of a browser would have it found
        page.session_state["session_id"] = None
        if username is not None:
            self.opened += 1
            found = self.store.credentials(username)
            page.session_state["session_id"] = self.store.open_session(found[0].id, f"code {self.opened}")
        return page.run()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RATE_LIMIT_PER_MINUTE", "3")
    monkeypatch.syspath_prepend(str(PART))
    before = {name: sys.modules.pop(name) for name in MODULES if name in sys.modules}
    st.cache_resource.clear()
    modules = {
        name: importlib.import_module(name) for name in MODULES if name not in ("main", "app", "app_1_44", "seed")
    }
    modules["auth"].ITERATIONS = 10  # type: ignore[attr-defined]
    model = FakeModel()
    monkeypatch.setattr(modules["chat"], "get_model", lambda: model)
    result = Program(modules, model)
    hashed = modules["auth"].hash_password(PASSWORD, "salt", 10)
    for name, role in (("ann", "user"), ("bob", "user"), ("mod", "moderator"), ("root", "admin")):
        sql = "INSERT INTO users (username, password, role) VALUES (?, ?, ?)"
        result.store.database.change(sql, name, hashed, role)
    yield result
    result.store.database.close()
    st.cache_resource.clear()
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.modules.update(before)


def button(page: AppTest, label: str) -> Any:
    return next(b for b in page.button if b.label == label)


def texts(page: AppTest) -> list[str]:
    return [element.value for message in page.chat_message for element in (*message.text, *message.markdown)]


def sign_in(page: AppTest, username: str, password: str) -> AppTest:
    page.text_input[0].input(username)
    page.text_input[1].input(password)
    button(page, "Sign in").click()
    return page.run()


def test_signing_in_shows_the_chat_and_signing_out_the_form(program: Program) -> None:
    page = program.page()
    assert [t.label for t in page.text_input] == ["Username", "Password"]
    sign_in(page, "ann", PASSWORD)
    assert page.chat_input[0].placeholder == "Message"
    button(page, "Sign out").click().run()
    assert [t.label for t in page.text_input] == ["Username", "Password"]
    assert program.store.database.rows("SELECT * FROM sessions") == []


def test_a_wrong_password_and_an_unknown_user_get_the_same_words(program: Program) -> None:
    page = program.page()
    wrong = sign_in(page, "ann", "nonsense").error[0].value
    assert wrong == sign_in(page, "nobody", "nonsense").error[0].value
    assert not page.chat_input


def test_guessing_passwords_is_stopped(program: Program) -> None:
    page = program.page()
    for _ in range(program.modules["auth"].ATTEMPTS_PER_MINUTE):
        program.store.allow("sign-in ann", 1)
    assert "Too many attempts" in sign_in(page, "ann", PASSWORD).error[0].value


def test_a_message_is_answered_and_kept(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("What is REST?").run()
    assert texts(page) == ["What is REST?", "Some **answer**"]
    assert button(page, "What is REST?")
    again = program.page("ann")
    button(again, "What is REST?").click().run()
    assert texts(again) == ["What is REST?", "Some **answer**"]


def test_the_model_sees_what_was_said_before(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("one").run()
    page.chat_input[0].set_value("two").run()
    assert [m["content"] for m in program.model.asked[1]] == ["one", "Some **answer**", "two"]
    assert texts(page) == ["one", "Some **answer**", "two", "Some **answer**"]


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script> **b** [x](javascript:1)", "😀" * 200, "مرحبا بالعالم", "x" * 100_000, "$1 :red[a] `"],
    ids=["markup", "emoji", "right-to-left", "100 kB", "directives"],
)
def test_any_text_is_shown_as_it_was_written(program: Program, text: str) -> None:
    program.model.answers = [[text]]
    page = program.page("ann")
    page.chat_input[0].set_value(text).run()
    assert not page.exception
    assert texts(page) == [text, text]
    assert not any(m.allow_html for m in page.markdown)


def test_an_error_of_the_model_is_shown_with_a_way_to_go_on(program: Program) -> None:
    error = program.modules["model"].ModelError("The model cannot be reached.")
    program.model.answers = [[error], ["half", error], ["whole"]]
    page = program.page("ann")
    page.chat_input[0].set_value("hello").run()
    assert [w.value for w in page.warning] == ["The model cannot be reached."]
    button(page, "Try again").click().run()
    assert texts(page)[:2] == ["hello", "half"]
    button(page, "Try again").click().run()
    assert texts(page) == ["hello", "whole"]
    assert not page.warning


def test_messages_beyond_the_limit_are_refused_and_given_back(program: Program) -> None:
    page = program.page("ann")
    for number in range(4):
        page.run().chat_input[0].set_value(f"message {number}").run()
    assert "3 messages a minute" in page.warning[0].value
    assert "message 3" not in texts(page)
    assert page.chat_input[0].proto.value == "message 3"
    assert not page.exception


def test_thumbs_are_kept(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("hello").run()
    page.feedback[0].set_value(1).run()
    assert program.store.database.row("SELECT feedback FROM messages WHERE role = 'assistant'")[0] == "up"
    page.feedback[0].set_value(0).run()
    assert program.store.database.row("SELECT feedback FROM messages WHERE role = 'assistant'")[0] == "down"


def test_other_peoples_conversations_stay_closed(program: Program) -> None:
    program.page("ann").chat_input[0].set_value("secret").run()
    number = program.store.database.row("SELECT id FROM conversations")[0]
    page = AppTest.from_file(str(PART / "main.py"), default_timeout=60)
    page.session_state["session_id"] = program.store.open_session(2, "bob")
    page.query_params["conversation"] = str(number)
    page.run()
    assert texts(page) == []
    assert "secret" not in [b.label for b in page.button]


def test_search_narrows_the_list(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("100% sure").run()
    button(page, "New conversation").click().run()
    page.chat_input[0].set_value("another").run()
    next(t for t in page.text_input if t.label == "Search conversations").set_value("0%").run()
    labels = [b.label for b in page.button]
    assert "100% sure" in labels
    assert "another" not in labels


def test_renaming_and_deleting(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("first").run()
    button(page, "Manage").click().run()
    next(t for t in page.text_input if t.label == "Title").set_value("Better *title*")
    button(page, "Rename").click().run()
    assert button(page, r"Better \*title\*")
    button(page, "Manage").click().run()
    button(page, "Delete for good").click().run()
    assert program.store.database.rows("SELECT * FROM messages") == []


def test_a_hidden_answer_is_not_shown(program: Program) -> None:
    page = program.page("ann")
    page.chat_input[0].set_value("hello").run()
    program.store.set_hidden(2, True)
    button(page, "hello").click().run()
    assert texts(page) == ["hello"]
    assert "hidden by a moderator" in page.chat_message[1].caption[0].value


def test_a_deactivated_user_is_out_at_the_next_step(program: Program) -> None:
    page = program.page("ann")
    program.store.set_active(1, False)
    page.chat_input[0].set_value("hello").run()
    assert [t.label for t in page.text_input] == ["Username", "Password"]
    assert program.store.database.rows("SELECT * FROM messages") == []


@pytest.mark.parametrize(
    "link",
    [
        "[a](javascript:x)",
        "[a]( <JavaScript:x>)",
        "[a](java&#115;cript:x)",
        "[a](\n javascript:x)",
        "![a](data:text/html,x)",
        "[a]: javascript:x",
        "\\\\[a\\\\](javascript:x)",
    ],
)
def test_a_link_that_could_run_something_is_text_under_streamlit_1_44(program: Program, link: str) -> None:
    shown = program.load("markup").without_odd_links(link)
    assert re.search(r"(?<!\\)(\\\\)*\\\]", shown), shown


@pytest.mark.parametrize(
    "text", ["[a](https://example.org/?b=c:d)", "[a](/here)", "<mailto:a@b.c>", "x: d[str]: int = f[0](1)", "1 < 2"]
)
def test_other_links_and_text_stay_as_they_are_under_streamlit_1_44(program: Program, text: str) -> None:
    assert program.load("markup").without_odd_links(text) == text
