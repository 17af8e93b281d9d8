"""The relay a tutorial ends with: async Django, an httpx client per request, ``aiter_lines``, one event per line.

Run with ``uvicorn relay:application`` and LLM_BASE_URL; POST /relay {"content": …} answers with server-sent events.
"""

import json
import os
from collections.abc import AsyncIterator

import django
import httpx
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="not-a-secret",  # signs nothing here
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
)
URL = os.environ.get("LLM_BASE_URL", "") + "/chat/completions"


async def tokens(content: str) -> AsyncIterator[str]:
    """Yield an event per token."""
    body = {"model": "stand-in", "stream": True, "messages": [{"role": "user", "content": content}]}
    async with httpx.AsyncClient(timeout=60) as client, client.stream("POST", URL, json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            choices = json.loads(line[6:])["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                yield f"event: token\ndata: {json.dumps({'text': text})}\n\n"
    yield "event: done\ndata: {}\n\n"


async def relay(request: HttpRequest) -> StreamingHttpResponse:
    """Stream the answer to one message."""
    content = json.loads(request.body)["content"]
    return StreamingHttpResponse(tokens(content), content_type="text/event-stream")


async def health(request: HttpRequest) -> HttpResponse:
    """Say that the process is up."""
    return HttpResponse("ok")


urlpatterns = [path("relay", relay), path("health", health)]
django.setup()
application = get_asgi_application()
