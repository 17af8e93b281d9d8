"""The built front end, from memory; in containers nginx does this."""

import functools
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from chat import problems

HASHED = re.compile(r"[-.][0-9A-Za-z_-]{8,}\.[a-z0-9]+$")
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the front end."""

    body: bytes
    content_type: str
    cache_control: str


@functools.cache
def files() -> dict[str, File]:
    """Return every file of WEB_ROOT by its path; read once, a few megabytes."""
    if not settings.WEB_ROOT:
        return {}
    root = Path(settings.WEB_ROOT)
    return {path.relative_to(root).as_posix(): _read(path) for path in root.rglob("*") if path.is_file()}


def _read(path: Path) -> File:
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type.startswith("text/") or content_type == "application/javascript":
        content_type += "; charset=utf-8"
    return File(path.read_bytes(), content_type, FOR_EVER if HASHED.search(path.name) else "no-cache")


async def page(request: HttpRequest, path: str) -> HttpResponse:
    """Serve a file; the page itself for every path that is none, because the browser's router knows it."""
    if request.method not in ("GET", "HEAD"):
        return problems.response(405, "Use GET.", headers={"Allow": "GET, HEAD"})
    found = files().get(path) or files().get("index.html")
    if found is None:
        return problems.response(404, "No front end is served here; set WEB_ROOT to a built one.")
    return HttpResponse(found.body, content_type=found.content_type, headers={"Cache-Control": found.cache_control})
