"""A small chatbot: a page, and answers streamed as plain text. Put your own in its place."""

import gc
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from model import pieces_of_answer

PAGE = Path(__file__).with_name("index.html")
conversations: dict[str, list[dict[str, str]]] = {}


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
        try:
            async for text in pieces_of_answer(messages):
                answer += text
                yield text
        finally:  # also where it breaks off: the page shows it as far as it got
            if answer:
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
