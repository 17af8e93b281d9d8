"""Health and the contract itself."""

import functools

import orjson
import yaml
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from chat import cache, problems
from chat.threads import in_thread


@csrf_exempt  # it changes nothing: any other method is 405, with or without a token
async def health(request: HttpRequest) -> HttpResponse:
    """Say that database and cache answer; if one does not, the middleware makes it a 503."""
    if request.method not in ("GET", "HEAD"):
        return problems.response(405, "Use GET.", headers={"Allow": "GET, HEAD"})
    await in_thread(_probe)
    return JsonResponse({"status": "ok"})


def _probe() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    cache.ping()


@csrf_exempt
async def schema(request: HttpRequest) -> HttpResponse:
    """Serve the contract every build is held to: one file, not a copy of it derived from this code."""
    if request.method not in ("GET", "HEAD"):
        return problems.response(405, "Use GET.", headers={"Allow": "GET, HEAD"})
    return HttpResponse(_contract(), content_type="application/json")


@functools.cache
def _contract() -> bytes:
    return orjson.dumps(yaml.safe_load(settings.CONTRACT_FILE.read_text()))
