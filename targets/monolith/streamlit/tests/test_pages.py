"""The Streamlit chatbot's pages, run by Streamlit's own test harness."""

import re
from typing import Any

import pytest
from program import PART, PASSWORD, Program
from streamlit.testing.v1 import AppTest


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
