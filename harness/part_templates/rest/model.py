"""The language model: any OpenAI-compatible endpoint."""

import json
import os
from collections.abc import AsyncIterator

import httpx

LLM_BASE_URL = os.environ["LLM_BASE_URL"]  # with /v1
LLM_MODEL = os.environ.get("LLM_MODEL", "stand-in")

# httpx stops at 100 connections by default: the 101st user would wait for another user's answer to end
client = httpx.AsyncClient(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
    timeout=httpx.Timeout(60, connect=5),
    headers={"Authorization": f"Bearer {os.environ['LLM_API_KEY']}"} if "LLM_API_KEY" in os.environ else {},
)


async def pieces_of_answer(messages: list[dict[str, str]]) -> AsyncIterator[str]:
    """Yield the pieces of the model's answer as they come.

    Raises:
        httpx.HTTPError: the model refuses or cannot be reached; ConnectionError: its answer broke off.
    """
    body = {"model": LLM_MODEL, "messages": messages[-20:], "stream": True}
    async with client.stream("POST", f"{LLM_BASE_URL}/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text
    raise ConnectionError("the model broke off")
