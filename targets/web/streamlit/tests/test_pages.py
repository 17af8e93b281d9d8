"""The pages, run by Streamlit's own test harness against an API in memory."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from rest import PASSWORD, Rest, Server, message
from streamlit.testing.v1 import AppTest

PART = Path(__file__).parents[1]


class Site:
    """The pages and the API behind them."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    def page(self, username: str | None = None, conversation: str | None = None) -> AppTest:
        """Open the page; AppTest has no cookies, so the session is given as a browser's cookie would have it found."""
        page = AppTest.from_file(str(PART / "main.py"), default_timeout=60)
        page.session_state["session"] = f"session-of-{username}" if username else None
        if conversation:
            page.query_params["conversation"] = conversation
        return page.run()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    st.cache_resource.clear()
    for name in ("settings", "api", "auth", "chat", "admin", "main"):
        sys.modules.pop(name, None)
    with Server() as server:
        monkeypatch.setenv("API_BASE_URL", server.url)
        yield Site(server.rest)
        importlib.import_module("api").get_api().close()
    st.cache_resource.clear()


def button(page: AppTest, label: str) -> Any:
    return next(b for b in page.button if b.label == label)


def texts(page: AppTest) -> list[str]:
    return [element.value for message in page.chat_message for element in (*message.text, *message.markdown)]


def sign_in(page: AppTest, username: str, password: str) -> AppTest:
    page.text_input[0].input(username)
    page.text_input[1].input(password)
    button(page, "Sign in").click()
    return page.run()


def test_signing_in_and_out(site: Site) -> None:
    page = site.page()
    assert [t.label for t in page.text_input] == ["Username", "Password"]
    assert "do not match" in sign_in(page, "ann", "nonsense").error[0].value
    sign_in(page, "ann", PASSWORD)
    assert page.chat_input[0].placeholder == "Message"
    button(page, "Sign out").click().run()
    assert [t.label for t in page.text_input] == ["Username", "Password"]
    assert "session-of-ann" not in site.rest.sessions
    assert site.rest.forged == []


def test_a_code_buys_the_session_once(site: Site) -> None:
    codes = importlib.import_module("auth").Codes()
    code = codes.issue("a session")
    assert (codes.claim("another"), codes.claim(code), codes.claim(code)) == (None, "a session", None)


def test_a_message_begins_a_conversation_and_the_next_goes_on_with_it(site: Site) -> None:
    page = site.page("ann")
    page.chat_input[0].set_value("Hello <b>").run()
    assert texts(page) == ["Hello <b>", "Some **answer**"]
    page.chat_input[0].set_value("And?").run()
    assert texts(page) == ["Hello <b>", "Some **answer**", "And?", "Some **answer**"]
    (number,) = site.rest.conversations
    about_it = [method for method, path, _ in site.rest.asked if path.startswith(f"/conversations/{number}")]
    # a browser's message runs the fragment alone; here each runs the whole script, which asks for the title
    assert about_it == ["GET", "POST"] * 2


def test_a_conversation_opened_again_is_asked_for_once(site: Site) -> None:
    number = site.rest.conversation("Old", messages=("one", "two"))
    page = site.page("ann", number)
    assert texts(page) == ["one", "two"]
    page.chat_input[0].set_value("three").run()
    asked = [path for method, path, _ in site.rest.asked if method == "GET" and path.endswith("/messages")]
    assert len(asked) == 1


def test_a_refused_message_is_shown_and_can_be_sent_again(site: Site) -> None:
    number = site.rest.conversation("Old")
    page = site.page("ann", number)
    site.rest.refuse_messages = (429, "Too many messages; try again in 12 s.")
    page.chat_input[0].set_value("Hello").run()
    assert "in 12 s" in page.warning[0].value
    site.rest.refuse_messages = None
    button(page, "Try again").click().run()
    assert texts(page) == ["Hello", "Some **answer**"]
    assert not page.warning


def test_an_answer_that_broke_off_is_kept_and_can_be_asked_for_again(site: Site) -> None:
    number = site.rest.conversation("Old")
    page = site.page("ann", number)
    site.rest.break_off = True
    page.chat_input[0].set_value("Hello").run()
    assert "broke off" in page.warning[0].value
    page.run()
    assert texts(page) == ["Hello", "Some **answer**"]
    assert "broke off" in page.warning[0].value
    site.rest.break_off = False
    button(page, "Try again").click().run()
    assert texts(page) == ["Hello", "Some **answer**", "Hello", "Some **answer**"]


def test_a_run_that_is_stopped_leaves_what_the_api_kept_and_a_way_to_ask_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = site.rest.conversation("Old")
    page = site.page("ann", number)
    api = importlib.import_module("api")

    def stopped(*_: object) -> Iterator[str]:
        """Be stopped half-way, as when the user's line breaks: nothing runs after that, the API has kept its part."""
        site.rest.messages[number] += [message("Hello"), message("Some ", 1)]
        yield "Some "
        st.stop()

    monkeypatch.setattr(api.Api, "ask", stopped)
    page.chat_input[0].set_value("Hello").run()
    monkeypatch.undo()
    monkeypatch.setenv("API_BASE_URL", "unused")
    page.run()
    assert texts(page) == ["Hello", "Some"]
    button(page, "Try again").click().run()
    assert texts(page)[2:] == ["Hello", "Some **answer**"]


def test_a_message_without_an_answer_offers_to_ask_again(site: Site) -> None:
    page = site.page("ann", site.rest.conversation("Old", messages=("one", "two", "three")))
    assert "no answer yet" in page.warning[0].value
    button(page, "Try again").click().run()
    assert texts(page)[-2:] == ["three", "Some **answer**"]


def test_other_peoples_conversations_stay_closed(site: Site) -> None:
    number = site.rest.conversation("Secret", owner="mod", messages=("one", "two"))
    assert texts(site.page("ann", number)) == []
    assert texts(site.page("ann", "../admin/users")) == []
    assert not [path for _, path, _ in site.rest.asked if path.startswith("/admin")]


def test_search_narrows_the_list(site: Site) -> None:
    for title in ("Apples", "Pears"):
        site.rest.conversation(title)
    page = site.page("ann")
    labels = {b.label for b in page.button}
    assert {"Apples", "Pears"} <= labels
    page.sidebar.text_input[0].set_value("pear").run()
    labels = {b.label for b in page.button}
    assert "Pears" in labels
    assert "Apples" not in labels


def test_renaming_and_deleting(site: Site) -> None:
    number = site.rest.conversation("Old")
    page = site.page("ann", number)
    button(page, "Manage").click().run()
    next(t for t in page.text_input if t.label == "Title").input("Better *title*")
    button(page, "Rename").click().run()
    assert site.rest.conversations[number]["title"] == "Better *title*"
    assert page.subheader[0].value == r"Better \*title\*"
    button(page, "Manage").click().run()
    button(page, "Delete for good").click().run()
    assert site.rest.conversations == {}
    assert page.title[0].value == "What shall we talk about?"


def test_only_moderators_hide_and_people_then_see_that_it_is_hidden(site: Site) -> None:
    number = site.rest.conversation("Old", messages=("one", "two"))
    assert "Hide answer" not in [b.label for b in site.page("ann", number).button]
    page = site.page("mod", number)
    button(page, "Hide answer").click().run()
    assert button(page, "Show answer again")
    site.rest.messages[number][1]["content"] = ""  # as the API gives it to users of role user
    assert texts(site.page("ann", number)) == ["one"]
    assert any("hidden by a moderator" in caption.value for caption in site.page("ann", number).caption)


def test_admins_give_roles_and_take_access(site: Site) -> None:
    def users() -> None:  # AppTest knows files as pages only: this one is run by itself
        import streamlit as st

        import admin

        st.session_state.setdefault("session", "session-of-root")
        st.session_state.user_id = 3
        admin.users_page()

    page = AppTest.from_function(users, default_timeout=60).run()
    assert [b.label for b in page.selectbox] == ["Role of ann", "Role of mod", "Role of root"]
    page.selectbox[0].select("moderator").run()
    assert site.rest.users[0]["role"] == "moderator"
    page.toggle[0].set_value(False).run()
    assert site.rest.users[0]["is_active"] is False
    assert page.selectbox[2].disabled


def test_who_is_deactivated_is_out_at_the_next_step(site: Site) -> None:
    page = site.page("ann", site.rest.conversation("Old", messages=("one", "two")))
    site.rest.users[0]["is_active"] = False
    page.chat_input[0].set_value("Hello").run()
    assert [t.label for t in page.text_input] == ["Username", "Password"]


def test_an_api_out_of_reach_is_told_in_words_with_a_way_to_go_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    api = importlib.import_module("api")

    def fail(*_: object, **__: object) -> None:
        raise api.ApiError("The API cannot be reached at the moment.")

    monkeypatch.setattr(api.Api, "json", fail)
    page = site.page("ann")
    assert "cannot be reached" in page.error[0].value
    monkeypatch.undo()
    monkeypatch.setenv("API_BASE_URL", "unused")
    button(page, "Try again").click().run()
    assert page.chat_input


@pytest.mark.parametrize("value", ["", "127.0.0.1:8000"])
def test_a_wrong_setting_names_itself_and_the_remedy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    settings = importlib.import_module("settings")
    settings.api_base_url.cache_clear()
    monkeypatch.setenv("API_BASE_URL", value)
    with pytest.raises(ValueError, match=re.escape(f"API_BASE_URL is {value!r}: set it to")):
        settings.api_base_url()
