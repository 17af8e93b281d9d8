"""The least a relay can do: Starlette hands on the model's bytes as they come, unread; nobody signs in.

Run with ``uvicorn relay:application`` and LLM_BASE_URL; POST /relay {"content": …} answers with the model's own stream.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

URL = os.environ.get("LLM_BASE_URL", "") + "/chat/completions"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, aiohttp.ClientSession]]:
    """Keep one client for all requests."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        yield {"client": client}


async def relay(request: Request) -> StreamingResponse:
    """Stream the answer to one message."""
    content = json.loads(await request.body())["content"]
    body = {"model": "stand-in", "stream": True, "messages": [{"role": "user", "content": content}]}

    async def chunks() -> AsyncIterator[bytes]:
        async with request.state.client.post(URL, json=body) as response:
            async for chunk in response.content.iter_any():
                yield chunk

    return StreamingResponse(chunks(), media_type="text/event-stream")


async def health(request: Request) -> PlainTextResponse:
    """Say that the process is up."""
    return PlainTextResponse("ok")


application = Starlette(routes=[Route("/relay", relay, methods=["POST"]), Route("/health", health)], lifespan=lifespan)
