"""A chatbot in one file: a page, and answers streamed as plain text. Put your own in its place."""

import gc
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

LLM_BASE_URL = os.environ["LLM_BASE_URL"]  # an OpenAI-compatible endpoint, with /v1
LLM_MODEL = os.environ.get("LLM_MODEL", "stand-in")
PAGE = Path(__file__).with_name("index.html")

# httpx stops at 100 connections by default: the 101st user would wait for another user's answer to end
model = httpx.AsyncClient(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
    timeout=httpx.Timeout(60, connect=5),
    headers={"Authorization": f"Bearer {os.environ['LLM_API_KEY']}"} if "LLM_API_KEY" in os.environ else {},
)
conversations: dict[str, list[dict[str, str]]] = {}


async def said_by_the_model(messages: list[dict[str, str]]) -> AsyncIterator[str]:
    """Yield the pieces of the model's answer; raises where it does not come whole."""
    body = {"model": LLM_MODEL, "messages": messages[-20:], "stream": True}
    async with model.stream("POST", f"{LLM_BASE_URL}/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text
    raise ConnectionError("the model broke off")


async def page(_: Request) -> Response:
    """Serve the page."""
    return FileResponse(PAGE)


async def health(_: Request) -> Response:
    """Say that it is up."""
    return PlainTextResponse("ok")


async def new_conversation(_: Request) -> Response:
    """Begin a conversation."""
    number = uuid.uuid4().hex
    conversations[number] = []
    return JSONResponse({"id": number}, status_code=201)


async def ask(request: Request) -> Response:
    """Take a message and stream the answer; a failure breaks the response off, so that it does not look whole."""
    messages = conversations.get(request.path_params["number"])
    if messages is None:
        return PlainTextResponse("no such conversation", status_code=404)
    messages.append({"role": "user", "content": (await request.json())["text"]})

    async def pieces() -> AsyncIterator[str]:
        answer = ""
        async for text in said_by_the_model(messages):
            answer += text
            yield text
        messages.append({"role": "assistant", "content": answer})

    return StreamingResponse(pieces(), media_type="text/plain; charset=utf-8")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Freeze what was imported: garbage collection would walk all of it, again and again, while every stream waits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 100)  # short collections often, full ones rarely
    yield


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/", page),
        Route("/health", health),
        Route("/conversations", new_conversation, methods=["POST"]),
        Route("/conversations/{number}", ask, methods=["POST"]),
    ],
)
