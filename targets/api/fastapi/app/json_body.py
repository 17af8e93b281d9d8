"""Request bodies: orjson, which refuses the lone surrogates no database stores, and at most 2 MiB."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

LARGEST_BODY_BYTES = 2 * 1024 * 1024


class JsonRequest(Request):
    """A request whose body is an object in JSON."""

    async def body(self) -> bytes:
        """Return the body.

        Raises:
            HTTPException: 413, there is more than is allowed.
        """
        if not hasattr(self, "_body"):
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > LARGEST_BODY_BYTES:
                    raise HTTPException(413, "The body is over 2 MiB.")
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        """Return what the body says.

        Raises:
            json.JSONDecodeError: it is no JSON, or no object.
        """
        body = await self.body()
        parsed = orjson.loads(body)
        if not isinstance(parsed, dict):  # FastAPI would take null for no body at all
            raise json.JSONDecodeError("an object is expected", body.decode(), 0)
        return parsed


class JsonRoute(APIRoute):
    """A route that reads its body this way."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return handle
