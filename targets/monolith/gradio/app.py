"""A chatbot in Gradio: one page, one event that streams the answer into the chat."""

import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
import httpx

if "LLM_BASE_URL" not in os.environ:
    sys.exit("LLM_BASE_URL is not set: give the address of an OpenAI-compatible endpoint, with /v1")
LLM_BASE_URL = os.environ["LLM_BASE_URL"]
LLM_MODEL = os.environ.get("LLM_MODEL", "stand-in")
LAST_MESSAGES = 20  # of a conversation, sent to the model

model = httpx.AsyncClient(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
    timeout=httpx.Timeout(60, connect=5),
    headers={"Authorization": f"Bearer {os.environ['LLM_API_KEY']}"} if os.environ.get("LLM_API_KEY") else {},
)


async def said_by_the_model(messages: list[dict[str, str]]) -> AsyncIterator[str]:
    """Yield the pieces of the model's answer.

    Raises:
        gr.Error: the model cannot be reached, refuses, or breaks off; the page shows it.
    """
    body = {"model": LLM_MODEL, "messages": messages, "stream": True}
    try:
        async with model.stream("POST", f"{LLM_BASE_URL}/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    return
                if line.startswith("data: "):
                    for choice in json.loads(line.removeprefix("data: "))["choices"]:
                        if text := choice["delta"].get("content"):
                            yield text
    except httpx.HTTPError as error:
        raise gr.Error("The model did not answer.") from error
    raise gr.Error("The model broke off.")


def plain(message: dict[str, Any]) -> dict[str, str]:
    """Return a message of the chat as the model takes it: the chat holds a list of pieces."""
    content = message["content"]
    text = content if isinstance(content, str) else "".join(piece.get("text", "") for piece in content)
    return {"role": message["role"], "content": text}


async def answer(text: str, chat: list[dict[str, Any]]) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the input, now empty, and the chat with the answer so far."""
    chat = [*chat, {"role": "user", "content": text}]
    said = ""
    async for piece in said_by_the_model([plain(message) for message in chat[-LAST_MESSAGES:]]):
        said += piece
        yield "", [*chat, {"role": "assistant", "content": said}]


with gr.Blocks(title="Gradio chatbot") as demo:
    chatbot = gr.Chatbot(label="Conversation", sanitize_html=True)
    message = gr.Textbox(label="Message", submit_btn=True, autofocus=True)
    new = gr.Button("New conversation")
    # one at a time is Gradio's default: the second user would wait for the first one's answer to end
    message.submit(answer, [message, chatbot], [message, chatbot], concurrency_limit=None, api_name="answer")
    new.click(list, None, chatbot, queue=False, api_name="new")

if __name__ == "__main__":
    demo.queue().launch(
        server_name=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"), share=False, ssr_mode=False, quiet=True
    )
