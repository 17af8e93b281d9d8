"""The chat: conversations in the sidebar, the open one in the middle.

The open conversation is a fragment, and so is the box below it: a message runs that part of the script again and leaves
the rest of the page alone.
Its messages stay in the session's state, as they would in a browser's page: the API is asked for them once.
"""

from collections.abc import Iterator
from typing import Any

import streamlit as st

import auth
from api import ApiError, Json, get_api
from markup import literal

LISTED = 30
SHOWN = 40
HEIGHT = 520  # of the conversation, which scrolls to its end by itself
MESSAGE_CHARS = 100_000
TITLE_CHARS = 200
SEARCH_CHARS = 200
MODEL_AVATAR = ":material/smart_toy:"
USER_AVATAR = ":material/person:"
UNTITLED = "New conversation"
HIDDEN = "This answer was hidden by a moderator."
NO_ANSWER = "This message has no answer yet."
IDEAS = ("Explain REST to a newcomer", "Plan a weekend in Mons", "Write a haiku about queues")


def _api(method: str, path: str, **options: Any) -> Any:
    return get_api().json(st.session_state.session, method, path, **options)


def page() -> None:
    """Show the chat page."""
    conversation = _open_conversation()
    with st.sidebar:
        _sidebar(conversation)
    head = st.container()  # also where it is empty: what follows keeps its place on the page, and the box its text
    if conversation is not None:
        with head.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(literal(conversation["title"] or UNTITLED), anchor=False, width="stretch")
            if st.button("Manage", icon=":material/tune:", type="tertiary"):
                _manage(conversation)
    st.session_state.begun = False
    _conversation()


def _greeting() -> None:
    st.title("What shall we talk about?", anchor=False)
    st.caption("Answers come from a language model. They can be wrong: check what matters.")
    with st.container(horizontal=True):
        for idea in IDEAS:
            st.button(idea, on_click=_send, args=(idea,))


def _open_conversation() -> Json | None:
    state = st.session_state
    if "conversation" not in state:
        _open(st.query_params.get("conversation") or None)
    if state.conversation is None:
        return None
    try:
        found: Json = _api("GET", f"/conversations/{_segment(state.conversation)}")
    except ApiError as error:
        if error.status != 404:
            raise
        _open(None)
        return None
    return found


def _segment(conversation_id: str) -> str:
    """Return an id as a part of a path; one that is none becomes an id that nothing has."""
    return conversation_id if conversation_id.replace("-", "").isalnum() else "none"


def _open(conversation_id: str | None) -> None:
    """Open a conversation, or none; its id in the address bar lets a reload find it again."""
    state = st.session_state
    state.conversation = conversation_id
    state.begun = False  # just now: list and title do not show it yet
    state.messages = None  # to be asked for
    state.shown = SHOWN
    state.unsent = None  # a message to send in the run that follows
    state.refused = None  # one that was not kept
    state.again = None  # one that was not answered to the end
    state.trouble = None
    if conversation_id is None:
        st.query_params.pop("conversation", None)
    else:
        st.query_params["conversation"] = conversation_id


def _sidebar(opened: Json | None) -> None:
    st.button("New conversation", icon=":material/edit_square:", width="stretch", on_click=_open, args=(None,))
    search = st.text_input(
        "Search conversations",
        placeholder="Search conversations",
        icon=":material/search:",
        label_visibility="collapsed",
        max_chars=SEARCH_CHARS,
    )
    found = _api("GET", "/conversations", params={"search": search.strip()} if search.strip() else {})["results"]
    if not found:
        st.caption("Nothing found." if search.strip() else "Your conversations will be listed here.")
    with st.container(gap=None):
        for conversation in found[:LISTED]:
            st.button(
                literal(conversation["title"] or UNTITLED),
                key=f"open-{conversation['id']}",
                icon=":material/chat_bubble:",
                type="secondary" if opened and opened["id"] == conversation["id"] else "tertiary",
                wrap=False,
                on_click=_open,
                args=(conversation["id"],),
            )


@st.dialog("Manage conversation", icon=":material/tune:")
def _manage(conversation: Json) -> None:
    path = f"/conversations/{conversation['id']}"
    with st.form("rename", border=False):
        st.text_input("Title", conversation["title"], key="new_title", max_chars=TITLE_CHARS)
        if st.form_submit_button("Rename", icon=":material/edit:", on_click=_rename, args=(path,)):
            st.rerun()
    session = st.session_state.session  # a file is made outside of a run
    with st.container(horizontal=True):
        for label, form, mime in (("JSON", "json", "application/json"), ("Markdown", "markdown", "text/markdown")):
            st.download_button(
                f"Export {label}",
                lambda form=form: get_api().call(session, "GET", f"{path}/export", params={"format": form}).content,
                f"conversation-{conversation['id']}.{'md' if form == 'markdown' else form}",
                mime,
                icon=":material/download:",
                on_click="ignore",
            )
        with st.popover("Delete", icon=":material/delete:"):
            st.caption("This cannot be undone.")
            if st.button("Delete for good", type="primary", on_click=_delete, args=(path,)):
                st.rerun()


def _rename(path: str) -> None:
    title = st.session_state.new_title.strip()
    if title:
        _try_to("PATCH", path, {"title": title})


def _delete(path: str) -> None:
    if _try_to("DELETE", path):
        _open(None)


def _try_to(method: str, path: str, body: Json | None = None) -> bool:
    """Do something for a callback, where an error has to wait for the run that follows to be shown."""
    try:
        _api(method, path, **({"json": body} if body is not None else {}))
    except ApiError as error:
        st.session_state.trouble = str(error)
        return False
    return True


@st.fragment
def _conversation() -> None:
    """Show the open conversation, the box for the next message, and the answer to what was just asked."""
    shown = st.container(height=HEIGHT, border=False)
    st.chat_input("Message", key="message", max_chars=MESSAGE_CHARS, submit_mode="stop", on_submit=_send_typed)
    try:
        with shown:
            _show_conversation()
        if st.session_state.begun:
            st.rerun()
    except ApiError as error:
        if error.status == 401:  # signed out elsewhere, or deactivated
            st.session_state.session = None
            st.rerun()
        st.error(str(error), icon=":material/error:")


def _show_conversation() -> None:
    state = st.session_state
    messages = _messages()
    if state.conversation is None:
        _greeting()
    if len(messages) > state.shown:
        st.button("Show earlier messages", on_click=_show_more, type="tertiary", icon=":material/history:")
    for message in messages[-state.shown :]:
        _message(message)
    if state.unsent is not None:
        _answer(state.unsent)
        return
    if state.refused is not None:
        _user_message(state.refused)
    again = state.again or (messages[-1]["content"] if messages and messages[-1]["role"] == "user" else None)
    if again is not None:
        _offer_retry(state.trouble or NO_ANSWER, again)
    elif state.trouble:
        st.warning(state.trouble, icon=":material/error:")


def _messages() -> list[Json]:
    state = st.session_state
    if state.conversation is None:
        return []
    if state.messages is None:
        state.messages = _api("GET", f"/conversations/{_segment(state.conversation)}/messages")["results"]
    found: list[Json] = state.messages
    return found


def _show_more() -> None:
    st.session_state.shown += SHOWN


def _user_message(content: str) -> None:
    with st.chat_message("user", avatar=USER_AVATAR):
        st.text(content)


def _message(message: Json) -> None:
    if message["role"] == "user":
        _user_message(message["content"])
        return
    with st.chat_message("assistant", avatar=MODEL_AVATAR):
        if message["hidden"]:
            st.caption(f":material/visibility_off: {HIDDEN}")
        if message["content"] and (not message["hidden"] or st.session_state.moderates):
            st.markdown(message["content"])
        _judgements(message)


def _judgements(message: Json) -> None:
    if not message["hidden"]:
        key = f"feedback-{message['id']}"
        given = {"down": 0, "up": 1}.get(message["feedback"] or "")
        st.feedback("thumbs", key=key, default=given, on_change=_keep_feedback, args=(message["id"], key))
    if st.session_state.moderates:
        st.button(
            "Show answer again" if message["hidden"] else "Hide answer",
            key=f"hide-{message['id']}",
            type="tertiary",
            icon=":material/visibility:" if message["hidden"] else ":material/visibility_off:",
            on_click=_change,
            args=("POST", message["id"], "hide", {"hidden": not message["hidden"]}),
        )


def _keep_feedback(message_id: str, key: str) -> None:
    choice = st.session_state[key]
    value = None if choice is None else ("down", "up")[choice]
    _change("PUT", message_id, "feedback", {"value": value})


def _change(method: str, message_id: str, what: str, body: Json) -> None:
    """Change an answer at the API and here."""
    state = st.session_state
    try:
        changed = _api(method, f"/messages/{message_id}/{what}", json=body)
    except ApiError as error:
        state.trouble = str(error)
        return
    state.messages = [changed if m["id"] == message_id else m for m in state.messages or []]


def _send_typed() -> None:
    _send(st.session_state.message)


def _send(content: str | None) -> None:
    """Keep a message for the run that follows to send."""
    if not content or not content.strip() or auth.session() is None:
        return
    state = st.session_state
    if state.conversation is None:
        try:
            begun = _api("POST", "/conversations", json={})
        except ApiError as error:
            state.refused, state.again, state.trouble = content, content, str(error)
            return
        _open(begun["id"])
        state.begun, state.messages = True, []
    state.unsent, state.refused, state.again, state.trouble = content, None, None, None


def _offer_retry(reason: str, content: str) -> None:
    st.warning(reason, icon=":material/error:")
    st.button("Try again", on_click=_send, args=(content,), icon=":material/refresh:")


def _answer(content: str) -> None:
    """Send a message and stream its answer into the page; the API keeps both, an answer cut short too."""
    state = st.session_state
    before, saved, parts = _messages(), list[Json](), list[str]()
    # Noted beforehand, for a run that is stopped may write nothing any more: what was kept is to be asked for.
    state.unsent, state.messages, state.again = None, None, content
    _user_message(content)
    with st.chat_message("assistant", avatar=MODEL_AVATAR):
        place = st.empty()
        place.markdown(":shimmer[Thinking…]")
        try:
            place.write_stream(_recorded(get_api().ask(state.session, state.conversation, content, saved), parts))
        except ApiError as error:
            if error.status == 401:
                raise
            state.trouble = str(error)
            if not saved:
                state.refused = content
        else:
            state.messages, state.again = [*before, *saved], None
            _judgements(saved[-1])
        if not parts:
            place.empty()
    if state.trouble is not None:
        _offer_retry(state.trouble, content)


def _recorded(texts: Iterator[str], parts: list[str]) -> Iterator[str]:
    for text in texts:
        parts.append(text)
        yield text
