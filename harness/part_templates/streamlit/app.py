"""A small chatbot. Put your own in its place.

Virtual users look for three things: a chat input, a button "New conversation", and the answer as Markdown text.
"""

from collections.abc import Iterator

import streamlit as st

from model import ModelError, pieces_of_answer


def kept(pieces: Iterator[str], answer: list[str]) -> Iterator[str]:
    """Yield the pieces of an answer, and keep each in ``answer``."""
    for piece in pieces:
        answer.append(piece)
        yield piece


st.title("my-chatbot")
messages: list[dict[str, str]] = st.session_state.setdefault("messages", [])
if st.sidebar.button("New conversation"):
    messages.clear()

for message in messages:
    with st.chat_message(message["role"]):
        st.markdown(message["content"])

if text := st.chat_input("Message"):
    messages.append({"role": "user", "content": text})
    with st.chat_message("user"):
        st.markdown(text)
    with st.chat_message("assistant"):
        answer: list[str] = []
        try:
            st.write_stream(kept(pieces_of_answer(messages), answer))
        except ModelError as error:
            st.error(str(error))
        finally:  # also where it breaks off: the page shows it as far as it got
            if answer:
                messages.append({"role": "assistant", "content": "".join(answer)})
