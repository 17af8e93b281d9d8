"""A chatbot in Chainlit as its documentation advises: the client of openai, tokens passed on as they come."""

import os

import chainlit as cl
from openai import AsyncOpenAI

client = AsyncOpenAI()


@cl.on_chat_start
def begin() -> None:
    """Begin a conversation."""
    cl.user_session.set("history", [{"role": "system", "content": "You are a helpful assistant."}])


@cl.on_message
async def answer(message: cl.Message) -> None:
    """Answer a message with the conversation so far in mind."""
    history = cl.user_session.get("history")
    history.append({"role": "user", "content": message.content})
    reply = cl.Message(content="")
    stream = await client.chat.completions.create(
        model=os.environ.get("OPENAI_MODEL", "gpt-4o-mini"), messages=history, stream=True
    )
    async for chunk in stream:
        if chunk.choices and (token := chunk.choices[0].delta.content):
            await reply.stream_token(token)
    await reply.update()
    history.append({"role": "assistant", "content": reply.content})
