"""The stand-in language model as usually written: Starlette and uvicorn, a sleep and a ``json.dumps`` per token."""

import argparse
import asyncio
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TTFT_S = 0.3
TAG = re.compile(r"\btag-([0-9a-f]{16})\b")
WORDS = ("blue ", "boat ", "calm ", "deep ", "fern ", "gold ", "lake ", "moon ", "palm ", "tree ")


def event(common: dict[str, object], delta: dict[str, str], finish_reason: str | None = None) -> str:
    """Return one server-sent event holding a completion chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({**common, 'choices': [choice]})}\n\n"


async def events(nonce: str, model: str, tokens: int, itl_s: float) -> AsyncIterator[str]:
    """Yield the events of one answer at absolute deadlines."""
    loop = asyncio.get_running_loop()
    common = {
        "id": f"chatcmpl-{nonce}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
    }
    due_s = loop.time() + TTFT_S
    yield event(common, {"role": "assistant", "content": ""})
    for number in range(tokens):
        await asyncio.sleep(due_s - loop.time())
        text = f"{nonce} " if number == 0 else "[end]" if number == tokens - 1 else WORDS[number % len(WORDS)]
        yield event(common, {"content": text})
        due_s += itl_s
    yield event(common, {}, "stop")
    yield "data: [DONE]\n\n"


async def chat(request: Request) -> Response:
    """Answer a chat request by a stream."""
    body = await request.json()
    tag = TAG.findall(body["messages"][-1]["content"])[-1]
    nonce = hashlib.sha256(f"42:{tag}".encode()).hexdigest()[:12]
    stream = events(nonce, body.get("model", "stand-in"), request.app.state.tokens, request.app.state.itl_s)
    return StreamingResponse(stream, media_type="text/event-stream")


async def health(request: Request) -> Response:
    """Say that the server is up."""
    return JSONResponse({"status": "ok"})


def main() -> None:
    """Serve on a port of 127.0.0.1 until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--itl-s", type=float, default=0.02)
    parser.add_argument("--tokens", type=int, default=40)
    options = parser.parse_args()
    app = Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"]), Route("/health", health)])
    app.state.tokens, app.state.itl_s = options.tokens, options.itl_s
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
