"""A small Streamlit chat of known timing; words in the message ask for faults, the session's first letter for a page.

``c``: a fragment of the page runs every 0.4 s. ``f``: a form comes before the chat. ``n``: no "New conversation".
``k``: none either, and what was said is kept for the next visit; ``m``: for everybody's.
``q``: a form takes the messages, ``t``: a text box.
"""

import hashlib
import re
import sys
import time
from collections.abc import Iterator

import streamlit as st

SEED, TOKENS = int(sys.argv[1]), int(sys.argv[2])
TTFT_S, ITL_S = float(sys.argv[3]), float(sys.argv[4])


def stream(text: str) -> Iterator[str]:
    tag = re.findall(r"tag-([0-9a-f]{16})", text)[-1]
    nonce = hashlib.sha256(f"{SEED}:{tag}".encode()).hexdigest()[:12]
    time.sleep(TTFT_S)
    yield ("0123456789ab" if "foreign" in text else nonce) + " "
    for _ in range(TOKENS - 2):
        time.sleep(ITL_S)
        yield "word "
    time.sleep(ITL_S)
    if "truncated" not in text:
        yield "[end]"


def with_cursor(text: str) -> str:
    """Write an answer as many do: with a cursor, which the last state lacks."""
    place, said = st.empty(), ""
    for piece in stream(text):
        said += piece
        place.markdown(said + "●")
    place.markdown(said)
    return said


def stamped(text: str) -> str:
    """Write an answer behind its time, which has as many digits as a nonce."""
    place, said = st.empty(), "202611291849 "
    for piece in stream(text):
        said += piece
        place.markdown(said)
    return said


def cleared(text: str) -> str:
    """Write an answer, then take it away: it is drawn again with the history."""
    place = st.empty()
    with place.container():
        said = str(st.write_stream(stream(text)))
    place.empty()
    return said


@st.cache_resource
def kept(page: str) -> list[tuple[str, str]]:
    return []


@st.fragment(run_every=0.4)
def clock() -> None:
    st.session_state.ticks = st.session_state.get("ticks", 0) + 1
    st.text(f"{st.session_state.ticks} ticks")


WRITERS = {"cursor": with_cursor, "cleared": cleared, "stamped": stamped}


@st.fragment
def chat() -> None:
    messages = kept(page) if page in "km" else st.session_state.setdefault("messages", [])
    for role, content in messages:
        with st.chat_message(role):
            st.markdown(content)
    text = st.chat_input("Message")
    if not text:
        return
    with st.chat_message("user"):
        st.markdown(text)
    if "boom" in text:
        raise RuntimeError("boom on purpose")
    if "busy" in text:
        st.warning("too many messages")
        return
    if "ticks" in text:
        st.warning(f"{st.session_state.ticks} ticks")
        return
    with st.chat_message("assistant"):
        write = next((WRITERS[word] for word in WRITERS if word in text), None)
        answer = write(text) if write else st.write_stream(stream(text))
    messages += [("user", text), ("assistant", f"{answer}\n\nSources: none" if "sources" in text else str(answer))]
    if "again" in text or "cleared" in text or "sources" in text:
        st.rerun()
    if "slow" in text:
        time.sleep(0.5)


page = st.context.cookies.get("chat_session", "")[:1]
if not page:
    st.text_input("Username")
    st.stop()
if page == "f" and "name" not in st.session_state:
    with st.form("who"):
        name = st.text_input("Your name")
        if st.form_submit_button("Start") and name:
            st.session_state.name = name
            st.rerun()
    st.stop()
if page in "qt":
    with st.form("question") if page == "q" else st.container():
        question = st.text_area("Your question")
        if (page == "t" or st.form_submit_button("Ask")) and question:
            st.info("".join(stream(question)))
    st.stop()
with st.sidebar:
    if page not in "kmn" and st.button("New conversation"):
        st.session_state.messages = []
    st.text_input("Search", "nothing")
if page == "c":
    clock()
chat()
