"""A chatbot in Gradio: one page, one event that streams the answer into the chat."""

import os
from collections.abc import AsyncIterator
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr

from model import ModelError, pieces_of_answer


def plain(message: dict[str, Any]) -> dict[str, str]:
    """Return a message of the chat as the model takes it: the chat holds a list of pieces."""
    content = message["content"]
    text = content if isinstance(content, str) else "".join(piece.get("text", "") for piece in content)
    return {"role": message["role"], "content": text}


async def answer(text: str, chat: list[dict[str, Any]]) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the input, now empty, and the chat with the answer so far.

    Raises:
        gr.Error: the model failed; the page shows it, and keeps the answer as far as it got.
    """
    chat = [*chat, {"role": "user", "content": text}]
    said = ""
    try:
        async for piece in pieces_of_answer([plain(message) for message in chat]):
            said += piece
            yield "", [*chat, {"role": "assistant", "content": said}]
    except ModelError as error:
        raise gr.Error(str(error)) from error


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
