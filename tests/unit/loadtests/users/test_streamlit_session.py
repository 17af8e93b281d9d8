"""What a Streamlit user reports with a run: the widgets that are on its page, as they were last drawn."""

from typing import Any

import pytest

from loadtests.users.streamlit_session import Session
from loadtests.users.streamlit_wire import load

PROTOCOL = load(None)
SUCCEEDED, ENDED_FOR_RERUN, FRAGMENT_SUCCEEDED = 0, 2, 3


def begun() -> Any:
    message = PROTOCOL.forward_msg()
    message.new_session.page_script_hash = "main"
    return message


def drawn(kind: str, number: str, fragment: str = "", **values: object) -> Any:
    message = PROTOCOL.forward_msg()
    message.delta.fragment_id = fragment
    widget = getattr(message.delta.new_element, kind)
    widget.id = number
    for name, value in values.items():
        setattr(widget, name, value)
    return message


def finished(status: int = SUCCEEDED) -> Any:
    message = PROTOCOL.forward_msg()
    message.script_finished = status
    return message


def after(*messages: Any) -> Session:
    session = Session(PROTOCOL, context={"timezone": "UTC", "a field of another version": 1})
    for message in messages:
        session.take(message.SerializeToString(), None, 0.0)
    return session


def reported(session: Session) -> dict[str, str]:
    """The widgets in the next frame, and the kind of each one's value."""
    asked = PROTOCOL.back_msg.FromString(session.frame(None)).rerun_script
    return {state.id: state.WhichOneof("value") for state in asked.widget_states.widgets}


def test_widgets_keep_their_values_and_go_with_the_page() -> None:
    form = drawn("text_input", "name", label="Username")
    session = after(begun(), form, finished())
    session.values["name"].state.string_value = "ann"
    for message in (begun(), form, drawn("feedback", "thumbs"), finished(ENDED_FOR_RERUN)):
        session.take(message.SerializeToString(), None, 0.0)
    assert reported(session) == {"name": "string_value", "thumbs": "string_value"}
    assert session.values["name"].state.string_value == "ann"
    for message in (begun(), drawn("text_input", "search"), finished()):
        session.take(message.SerializeToString(), None, 0.0)
    assert reported(session) == {"search": "string_value"}


def test_a_run_of_a_fragment_takes_away_only_what_was_in_it() -> None:
    page = drawn("text_input", "search"), drawn("feedback", "first", "chat"), drawn("feedback", "other", "list")
    session = after(begun(), *page, finished())
    for message in (begun(), drawn("feedback", "second", "chat"), finished(FRAGMENT_SUCCEEDED)):
        session.take(message.SerializeToString(), None, 0.0)
    assert set(reported(session)) == {"search", "other", "second"}


@pytest.mark.parametrize(("style", "kind"), [(2, {"thumbs": "int_array_value"}), (1, {})])
def test_only_thumbs_of_the_button_groups_are_reported(style: int, kind: dict[str, str]) -> None:
    assert reported(after(begun(), drawn("button_group", "thumbs", style=style), finished())) == kind


def test_a_page_names_itself_its_browser_and_its_code() -> None:
    navigation = PROTOCOL.forward_msg()
    navigation.navigation.page_script_hash = "chat"
    cookie = drawn("bidi_component", "keeper", json='{"code": "0123456789abcdef0123456789abcdef"}')
    session = after(begun(), navigation, cookie, finished())
    asked = PROTOCOL.back_msg.FromString(session.frame(None)).rerun_script
    assert (asked.page_script_hash, asked.context_info.timezone) == ("chat", "UTC")
    assert session.sign_in_code == "0123456789abcdef0123456789abcdef"
