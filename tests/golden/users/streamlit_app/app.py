"""A small Streamlit chat of known timing; words in the message ask for faults."""

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


@st.fragment
def chat() -> None:
    messages = st.session_state.setdefault("messages", [])
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
    with st.chat_message("assistant"):
        answer = st.write_stream(stream(text))
    messages += [("user", text), ("assistant", str(answer))]
    if "again" in text:
        st.rerun()
    if "slow" in text:
        time.sleep(0.5)


if not st.context.cookies.get("chat_session"):
    st.text_input("Username")
    st.stop()
with st.sidebar:
    if st.button("New conversation"):
        st.session_state.messages = []
    st.text_input("Search", "nothing")
chat()
