"""A Streamlit page as its user sees it: the widgets it reports with a run, the answer, the runs it asks for itself."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.reading import GrowingText
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


def test_a_value_that_the_script_sets_is_what_the_page_reports() -> None:
    form = drawn("text_input", "name", label="Name", default="nobody"), drawn("checkbox", "agreed", default=True)
    session = after(begun(), *form, finished())
    session.values["name"].state.string_value = "ann"
    again = drawn("text_input", "name", value="Ann", set_value=True), drawn("checkbox", "agreed", set_value=True)
    for message in (begun(), *again, finished()):
        session.take(message.SerializeToString(), None, 0.0)
    states = {key: widget.state for key, widget in session.values.items()}
    assert (states["name"].string_value, states["agreed"].bool_value) == ("Ann", False)
    at_first = after(begun(), drawn("text_area", "key", default="", value="set", set_value=True), finished())
    assert at_first.values["key"].state.string_value == "set"


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


NONCE, OTHER = "0123456789ab", "ba9876543210"
WHOLE = f"{NONCE} one two [end]"
FIELDS = {"code": "code_text", "iframe": "srcdoc", "text_area": "default", "text_input": "value"}  # of others: body
KINDS = ("markdown", "text", "html", "heading", "alert", *FIELDS, "component_instance")
Path = tuple[int, ...]


def shown(path: Path, text: str | None, fragment: str = "", kind: str = "markdown") -> Any:
    """An element with a text; None: an empty one."""
    message = PROTOCOL.forward_msg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = fragment
    element = message.delta.new_element
    if text is None:
        element.empty.SetInParent()
    elif kind == "component_instance":
        element.component_instance.json_args = json.dumps({"messages": [{"content": text}], "key": "x"})
    else:
        setattr(getattr(element, kind), FIELDS.get(kind, "body"), text)
    return message


def block(path: Path) -> Any:
    message = PROTOCOL.forward_msg()
    message.metadata.delta_path.extend(path)
    message.delta.add_block.vertical.SetInParent()
    return message


def run_of(*fragments: str) -> Any:
    message = begun()
    if hasattr(message.new_session, "fragment_ids_this_run"):
        message.new_session.fragment_ids_this_run.extend(fragments)
    else:
        message.metadata.run.fragment_ids.extend(fragments)
    return message


def asked(*messages: Any, fragment: str = "") -> tuple[GrowingText, Session]:
    """The trace of a turn after these messages, one a second."""
    session, trace = Session(PROTOCOL), GrowingText(0.0)
    session.expect(NONCE, fragment)
    for at_s, message in enumerate(messages, start=1):
        session.take(message.SerializeToString(), trace, float(at_s))
    return trace, session


@pytest.mark.parametrize("cursor", ["▕", "▌", "●", " | ", "_"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_last_state_of_an_answer_counts_whatever_shows_it_and_whatever_its_cursor(kind: str, cursor: str) -> None:
    states = (f"{NONCE} ", f"{NONCE} one {cursor}", f"{NONCE} one two {cursor}", f"{WHOLE}{cursor}", WHOLE)
    trace, session = asked(begun(), *(shown((0, 3), state, kind=kind) for state in states), finished())
    assert (trace.text, trace.done_s, session.running) == (WHOLE, 7.0, False)
    assert (trace.times, trace.answer_chars) == ([2.0, 3.0, 4.0, 5.0], [13, 17, 21, 26])


def test_an_answer_drawn_again_elsewhere_keeps_its_times() -> None:
    streamed = [shown((0, 1), f"{NONCE} one"), shown((0, 1), f"{WHOLE}▌"), shown((0, 1), None)]
    again = [shown((1, 0), f"{NONCE} one", kind="heading"), shown((0, 2, 0), WHOLE)]
    trace, session = asked(begun(), *streamed, finished(ENDED_FOR_RERUN), begun(), *again, finished())
    assert (trace.text, session.running) == (WHOLE, False)
    assert (trace.times, trace.answer_chars) == ([2.0, 3.0], [16, 26])


@pytest.mark.parametrize("title", [f"{NONCE} one", f"Chat about {NONCE} one two"])
def test_a_title_that_quotes_the_answer_is_not_the_answer(title: str) -> None:
    trace, _ = asked(begun(), shown((0, 1), WHOLE), shown((1, 0), title, kind="heading"), finished())
    assert (trace.text, trace.updates) == (WHOLE, 1)
    before, _ = asked(begun(), shown((1, 0), title, kind="heading"), shown((0, 1), WHOLE), finished())
    assert before.text == WHOLE


def test_an_answer_that_ends_shorter_than_it_was_is_cut() -> None:
    trace, _ = asked(begun(), shown((0, 1), WHOLE), shown((0, 1), f"{NONCE} one"), finished())
    assert (trace.text, trace.done_s) == (f"{NONCE} one", None)
    again = begun(), shown((0, 2), NONCE), finished()
    moved, _ = asked(begun(), shown((0, 1), WHOLE), finished(ENDED_FOR_RERUN), *again)
    assert moved.text == NONCE


def test_an_answer_that_was_taken_away_keeps_its_last_state() -> None:
    trace, _ = asked(begun(), shown((0, 1, 0), WHOLE), block((0, 1)), shown((0, 1), None), finished())
    assert (trace.text, trace.done_s) == (WHOLE, 5.0)


def test_a_block_in_the_answers_place_holds_it_from_then_on() -> None:
    before, within = shown((0, 1), f"{NONCE} one"), [shown((0, 1, 0), text) for text in (f"{NONCE} one two", WHOLE)]
    trace, _ = asked(begun(), before, block((0, 1)), *within, finished())
    assert (trace.text, trace.times) == (WHOLE, [2.0, 4.0, 5.0])


STAMP = "202611291849"


@pytest.mark.parametrize(
    ("other", "beside", "instead"),
    [
        (f"{OTHER} one", OTHER, OTHER),
        (f"{STAMP} one two [end]", None, STAMP),  # in place of the answer: its tag was lost
        (f"{STAMP} {WHOLE}", None, None),
        (f"{STAMP} is the time", None, None),
        (f"at {STAMP} one two [end]", None, None),
    ],
)
@pytest.mark.parametrize("kind", ["markdown", "text"])
def test_an_answer_is_another_users_behind_a_mark_that_a_user_waited_for(
    kind: str, other: str, beside: str | None, instead: str | None
) -> None:
    Session(PROTOCOL).expect(OTHER)
    _, session = asked(begun(), shown((0, 0), other, kind=kind), shown((0, 1), WHOLE), finished())
    assert session.stranger(answered=True) == beside
    _, session = asked(begun(), shown((0, 0), other, kind=kind), finished())
    assert session.stranger(answered=False) == instead
    session.expect(NONCE)
    assert session.stranger(answered=False) is None


def test_messages_of_before_there_were_fragments_are_taken() -> None:
    session, trace = Session(PROTOCOL), GrowingText(0.0)
    session.expect(NONCE)
    element = shown((0, 1), WHOLE).delta.new_element
    old = SimpleNamespace(new_element=element, WhichOneof=lambda _: "new_element")  # Streamlit 1.30 has no more
    session._delta(old, (0, 1), trace, 1.0)
    assert trace.text == WHOLE


def refreshing(fragment: str, interval_s: float) -> Any:
    message = PROTOCOL.forward_msg()
    message.auto_rerun.fragment_id = fragment
    message.auto_rerun.interval = interval_s
    return message


def due(session: Session, now_s: float) -> list[tuple[str, bool]]:
    """The runs that the page asks for at this time: fragment, and whether it says that a timer does."""
    frames = [PROTOCOL.back_msg.FromString(frame).rerun_script for frame in session.due_frames(now_s)]
    return [(frame.fragment_id, frame.is_auto_rerun) for frame in frames]


def test_a_fragment_runs_every_so_often_until_the_script_no_longer_draws_it() -> None:
    session = after(begun(), refreshing("clock", 1.0), refreshing("news", 2.5), finished())
    assert session.timers.left_s(0.25) == 0.75
    clock, news = ("clock", True), ("news", True)
    expected = [[], [clock], [], [clock, news], [clock, news]]
    assert [due(session, now_s) for now_s in (0.9, 1.0, 1.5, 2.6, 9.0)] == expected
    session.take(run_of("news").SerializeToString(), None, 9.0)
    assert session.timers.left_s(9.0) is not None
    session.take(begun().SerializeToString(), None, 9.0)
    assert session.timers.left_s(9.0) is None


def test_a_run_that_a_timer_asked_for_does_not_end_the_turn() -> None:
    session, trace = after(begun(), refreshing("clock", 1.0), refreshing("chat", 1.0), finished()), GrowingText(0.0)
    assert len(session.due_frames(1.0)) == 2
    session.expect(NONCE, "chat")
    runs = [(("clock",), None), (("chat",), None), (("clock",), None), (("chat",), WHOLE)]
    for fragments, text in runs:
        assert session.running
        drawn_there = [shown((0, 5), text, "chat")] if text else []
        for message in (run_of(*fragments), *drawn_there, finished(FRAGMENT_SUCCEEDED)):
            session.take(message.SerializeToString(), trace, 2.0)
    assert (session.running, trace.text) == (False, WHOLE)


def test_a_run_that_another_fragments_run_follows_at_once_is_over() -> None:
    """The server makes two ends of one: that of the run waited for reads as if it were to be run again."""
    ended = run_of("chat"), shown((0, 5), WHOLE, "chat"), finished(ENDED_FOR_RERUN)
    trace, session = asked(*ended, run_of("clock"), fragment="chat")
    assert (session.running, trace.text, trace.done_s) == (False, WHOLE, 3.0)
    for follows in (run_of("chat"), run_of()):
        assert asked(*ended, follows, fragment="chat")[1].running
    interrupted, _, again = ended
    assert asked(interrupted, again, run_of("clock"), fragment="chat")[1].running


def test_a_run_that_timer_and_message_share_is_the_messages() -> None:
    session, trace = after(begun(), refreshing("clock", 1.0), finished()), GrowingText(0.0)
    session.due_frames(1.0)
    session.expect(NONCE, "chat")
    for message in (run_of("clock", "chat"), finished(FRAGMENT_SUCCEEDED)):
        session.take(message.SerializeToString(), trace, 2.0)
    assert not session.running


def test_a_run_without_an_answer_ends_the_turn_where_no_timer_asked_for_it() -> None:
    _, session = asked(run_of("chat"), finished(FRAGMENT_SUCCEEDED), fragment="chat")
    assert not session.running


def test_the_component_that_refreshes_counts_its_runs_to_its_limit() -> None:
    message = PROTOCOL.forward_msg()
    component = message.delta.new_element.component_instance
    component.id, component.component_name = "fresh", "streamlit_autorefresh.st_autorefresh"
    component.json_args = json.dumps({"interval": 2000, "limit": 2, "debounce": False, "key": "x"})
    session = after(begun(), message, finished())
    assert [due(session, now_s) for now_s in (1.9, 2.0)] == [[], [("", False)]]
    assert reported(session) == {"fresh": "json_value"}
    for again in (begun(), message, finished()):
        session.take(again.SerializeToString(), None, 3.0)
    assert [due(session, now_s) for now_s in (4.0, 6.0)] == [[("", False)], []]
    assert session.values["fresh"].state.json_value == "2"
    for without in (begun(), finished()):
        session.take(without.SerializeToString(), None, 7.0)
    assert reported(session) == {}


def test_what_a_run_did_not_draw_again_is_no_longer_on_the_page() -> None:
    chat = drawn("chat_input", "chat"), drawn("button", "new", label="New conversation")
    session = after(begun(), *chat, finished(), begun(), drawn("button", "in", label="Start"), finished())
    assert (session.chat_input, list(session.buttons)) == (None, ["Start"])
    assert after(begun(), *chat, finished(), run_of("clock"), finished(FRAGMENT_SUCCEEDED)).chat_input is not None


def test_the_pages_of_an_app_are_known_by_name_and_path() -> None:
    navigation = PROTOCOL.forward_msg()
    navigation.navigation.app_pages.add(page_script_hash="1", page_name="My chat", url_pathname="my_chat")
    assert after(begun(), navigation, finished()).pages == {"My chat": "1", "my_chat": "1"}
