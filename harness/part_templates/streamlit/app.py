"""A chatbot in one script. Put your own in its place.

Virtual users look for three things: a chat input, a button "New conversation", and the answer as Markdown text.
"""

import json
import os
from collections.abc import Iterator

import httpx
import streamlit as st

LLM_BASE_URL = os.environ["LLM_BASE_URL"]  # an OpenAI-compatible endpoint, with /v1
LLM_MODEL = os.environ.get("LLM_MODEL", "stand-in")


@st.cache_resource
def model() -> httpx.Client:
    """Return the one client of all sessions; httpx stops at 100 connections by default."""
    key = os.environ.get("LLM_API_KEY")
    return httpx.Client(
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        timeout=httpx.Timeout(60, connect=5),
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )


def said_by_the_model(messages: list[dict[str, str]]) -> Iterator[str]:
    """Yield the pieces of the model's answer; an answer that breaks off raises, and Streamlit shows the error."""
    body = {"model": LLM_MODEL, "messages": messages[-20:], "stream": True}
    with model().stream("POST", f"{LLM_BASE_URL}/chat/completions", json=body) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text
    raise ConnectionError("the model broke off")


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
        messages.append({"role": "assistant", "content": str(st.write_stream(said_by_the_model(messages)))})
