"""The style sheet, the script and the icon, from memory under addresses that change with them; and health."""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse

from chat.threads import threaded

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    body: bytes
    content_type: str
    digest: str


@cache
def files() -> dict[str, File]:
    """Return every file by its name; read once, a few kilobytes."""
    return {path.name: _read(path) for path in FOLDER.iterdir()}


def _read(path: Path) -> File:
    body = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(body, content_type, hashlib.sha256(body).hexdigest()[:12])


@cache
def _addresses() -> dict[str, str]:
    return {name.replace(".", "_"): f"/static/{one.digest}/{name}" for name, one in files().items()}


def addresses(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Give every template the files' addresses: ``assets.chat_css``."""
    return {"assets": _addresses()}


async def file(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """Send a file; under an older address too, but then not for ever."""
    found = files().get(name)
    if found is None:
        raise Http404
    caching = FOR_EVER if digest == found.digest else "no-cache"
    return HttpResponse(found.body, content_type=found.content_type, headers={"Cache-Control": caching})


@threaded()
def health(request: HttpRequest) -> HttpResponse:
    """Say ok once the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})
