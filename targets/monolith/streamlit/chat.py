"""The chat: conversations in the sidebar, the open one in the middle.

The open conversation is a fragment, and so is the box below it: a message runs that part of the script again and leaves
the rest of the page alone.
"""

from collections.abc import Iterator

import streamlit as st

import auth
import export
import settings
import versions
from markup import literal
from model import ChatMessage, ModelError, get_model
from store import Conversation, Message, User, get_store

LISTED = 30
SHOWN = 40
REMEMBERED = 20  # messages the model gets to see
HEIGHT = 520  # of the conversation, which scrolls to its end by itself
MESSAGE_CHARS = 100_000
TITLE_CHARS = 200
MODEL_AVATAR = ":material/smart_toy:"
USER_AVATAR = ":material/person:"
IDEAS = ("Explain REST to a newcomer", "Plan a weekend in Mons", "Write a haiku about queues")
NO_ANSWER = "This message has no complete answer yet."


def page() -> None:
    """Show the chat page."""
    user = auth.current_user()
    if user is None:
        st.rerun()
    conversation = _open_conversation(user)
    with st.sidebar:
        _sidebar(user, conversation)
    head = st.container()  # also where it is empty: what follows keeps its place on the page, and the box its text
    if conversation is not None:
        with head:
            title, manage = versions.row(4, 1)
        title.subheader(literal(conversation.title), anchor=False, **versions.looks(width="stretch"))
        if manage.button("Manage", icon=":material/tune:", type="tertiary"):
            _manage(user, conversation)
    st.session_state.begun = False
    _conversation()


def _greeting() -> None:
    st.title("What shall we talk about?", anchor=False)
    st.caption("Answers come from a language model. They can be wrong: check what matters.")
    for place, idea in zip(versions.row(1, 1, 1), IDEAS, strict=True):
        place.button(idea, on_click=_send, args=(idea,))


def _open_conversation(user: User) -> Conversation | None:
    state = st.session_state
    if "conversation" not in state:
        wanted = st.query_params.get("conversation", "")
        _open(int(wanted) if wanted.isdecimal() and len(wanted) <= 18 else None)  # SQLite's ids have 63 bits
    conversation = get_store().conversation(user.id, state.conversation) if state.conversation is not None else None
    if conversation is None and state.conversation is not None:
        _open(None)
    return conversation


def _open(conversation_id: int | None) -> None:
    """Open a conversation, or none; its number in the address bar lets a reload find it again."""
    state = st.session_state
    state.conversation = conversation_id
    state.shown = SHOWN
    state.answering = False
    state.begun = False
    state.trouble = None
    if conversation_id is None:
        st.query_params.pop("conversation", None)
    else:
        st.query_params["conversation"] = str(conversation_id)


def _sidebar(user: User, opened: Conversation | None) -> None:
    st.button("New conversation", icon=":material/edit_square:", on_click=_open, args=(None,), **versions.WIDE)
    search = st.text_input(
        "Search conversations",
        placeholder="Search conversations",
        label_visibility="collapsed",
        max_chars=TITLE_CHARS,
        **versions.looks(icon=":material/search:"),
    )
    found = get_store().conversations(user.id, search.strip(), LISTED)
    if not found:
        st.caption("Nothing found." if search.strip() else "Your conversations will be listed here.")
    with st.container(**versions.looks(gap=None)):
        for conversation in found:
            st.button(
                literal(conversation.title),
                key=f"open-{conversation.id}",
                icon=":material/chat_bubble:",
                type="secondary" if opened and opened.id == conversation.id else "tertiary",
                on_click=_open,
                args=(conversation.id,),
                **versions.looks(wrap=False),
            )


@st.dialog("Manage conversation", **versions.looks(icon=":material/tune:"))
def _manage(user: User, conversation: Conversation) -> None:
    with st.form("rename", border=False):
        st.text_input("Title", conversation.title, key="new_title", max_chars=TITLE_CHARS)
        if st.form_submit_button("Rename", icon=":material/edit:", on_click=_rename, args=(conversation.id,)):
            st.rerun()

    def messages() -> list[Message]:
        return get_store().messages(user.id, conversation.id, -1)

    as_json, as_markdown, delete = versions.row(1, 1, 1)
    file = f"conversation-{conversation.id}"
    with as_json:
        versions.export_button(
            "Export JSON", lambda: export.as_json(conversation, messages()), f"{file}.json", "application/json"
        )
    with as_markdown:
        versions.export_button(
            "Export Markdown", lambda: export.as_markdown(conversation, messages()), f"{file}.md", "text/markdown"
        )
    with delete, st.popover("Delete", icon=":material/delete:"):
        st.caption("This cannot be undone.")
        if st.button("Delete for good", type="primary", on_click=_delete, args=(conversation.id,)):
            st.rerun()


def _rename(conversation_id: int) -> None:
    user, title = auth.current_user(), st.session_state.new_title.strip()
    if user is not None and title:
        get_store().rename(user.id, conversation_id, title)


def _delete(conversation_id: int) -> None:
    user = auth.current_user()
    if user is not None:
        get_store().delete(user.id, conversation_id)
        _open(None)


@st.fragment
def _conversation() -> None:
    """Show the open conversation, the box for the next message, and the answer to what was just asked."""
    user = auth.current_user()
    if user is None:
        st.rerun()
    shown = st.container(height=HEIGHT, border=False)
    st.chat_input("Message", key="message", max_chars=MESSAGE_CHARS, on_submit=_send_typed, **versions.CHAT_INPUT)
    with shown:
        _messages(user)
    if st.session_state.begun:  # list and title do not show it yet
        st.rerun()


def _messages(user: User) -> None:
    state = st.session_state
    messages: list[Message] = []
    if state.conversation is None:
        _greeting()
    else:
        messages = get_store().messages(user.id, state.conversation, state.shown + 1)
    if len(messages) > state.shown:
        st.button("Show earlier messages", on_click=_show_more, type="tertiary", icon=":material/history:")
    for message in messages[-state.shown :]:
        _message(message)
    if messages and state.answering:
        _answer(user, state.conversation, messages)
    elif messages and (messages[-1].role == "user" or not messages[-1].complete):
        _offer_retry(state.trouble or NO_ANSWER)
    elif state.trouble:
        st.warning(state.trouble, icon=":material/hourglass_top:")


def _show_more() -> None:
    st.session_state.shown += SHOWN


def _message(message: Message) -> None:
    if message.role == "user":
        with st.chat_message("user", avatar=USER_AVATAR):
            st.text(message.content)
        return
    with st.chat_message("assistant", avatar=MODEL_AVATAR):
        if message.hidden:
            st.caption(f":material/visibility_off: {export.HIDDEN}")
            return
        versions.show_answer(message.content)
        _feedback(message.id, message.feedback)


def _feedback(message_id: int, value: str | None) -> None:
    key = f"feedback-{message_id}"
    given = {"down": 0, "up": 1}.get(value or "")
    versions.thumbs(key, given, _keep_feedback, (message_id, key))


def _keep_feedback(message_id: int, key: str) -> None:
    user = auth.current_user()
    if user is not None:
        choice = st.session_state[key]
        get_store().set_feedback(user.id, message_id, None if choice is None else ("down", "up")[choice])


def _send_typed() -> None:
    _send(st.session_state.message)


def _send(content: str | None) -> None:
    """Keep a user's message for the run that follows to answer."""
    user = auth.current_user()
    if user is None or not content or not content.strip():
        return
    state = st.session_state
    limit = settings.load().rate_limit_per_minute
    if not get_store().allow(f"message {user.id}", limit):
        state.trouble = f"You can send {limit} messages a minute. Wait a little, then send this one again."
        state.message = content
        return
    conversation_id = get_store().add_message(user.id, state.conversation, content)
    if conversation_id != state.conversation:
        _open(conversation_id)
        state.begun = conversation_id is not None
    state.trouble = None
    state.answering = conversation_id is not None


def _retry() -> None:
    user = auth.current_user()
    if user is not None:
        get_store().drop_partial_answer(user.id, st.session_state.conversation)
        st.session_state.answering = True
        st.session_state.trouble = None


def _offer_retry(reason: str) -> None:
    st.warning(reason, icon=":material/error:")
    st.button("Try again", on_click=_retry, icon=":material/refresh:")


def _answer(user: User, conversation_id: int, messages: list[Message]) -> None:
    """Stream the model's answer into the page and keep it, also when it is stopped half-way."""
    st.session_state.answering = False
    visible = [m for m in messages if not m.hidden][-REMEMBERED:]
    context: list[ChatMessage] = [{"role": m.role, "content": m.content} for m in visible]
    parts: list[str] = []
    complete = False
    trouble = None
    answer_id = None
    with st.chat_message("assistant", avatar=MODEL_AVATAR):
        place = st.empty()
        place.markdown(versions.THINKING)
        try:
            versions.stream_answer(place, _recorded(context, parts))
            complete = True
        except ModelError as error:
            trouble = str(error)
        finally:  # also when the user stops the answer or leaves
            if parts:
                answer_id = get_store().add_answer(conversation_id, "".join(parts), complete)
        if not parts:
            place.empty()
        if answer_id is not None:
            _feedback(answer_id, None)
    if trouble is not None:
        st.session_state.trouble = trouble
        _offer_retry(trouble)


def _recorded(context: list[ChatMessage], parts: list[str]) -> Iterator[str]:
    for text in get_model().stream(context):
        parts.append(text)
        yield text
