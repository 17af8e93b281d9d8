"""The built front end, from memory; in containers nginx does this."""

import mimetypes
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.routing import PathConverter

from chat.problems import refuse

HASHED = re.compile(r"[-.][0-9A-Za-z_-]{8,}\.[a-z0-9]+$")
FOR_EVER = "public, max-age=31536000, immutable"


class PagePath(PathConverter):
    """Every path that is not the API's, so that an unknown one there stays a 404 and a wrong method a 405."""

    regex = r"(?!api(?:/|$)).*?"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the front end."""

    body: bytes
    content_type: str
    cache_control: str
    etag: str


def init_app(app: Flask) -> None:
    """Read the files, a few megabytes, and serve them."""
    app.url_map.converters["page"] = PagePath
    app.extensions["site"] = files_of(Path(app.config["WEB_ROOT"])) if app.config["WEB_ROOT"] else {}
    bp = Blueprint("site", __name__)
    bp.add_url_rule("/", view_func=page, defaults={"path": ""})
    bp.add_url_rule("/<page:path>", view_func=page)
    app.register_blueprint(bp)


def files_of(root: Path) -> dict[str, File]:
    """Return every file below a folder by its path."""
    return {path.relative_to(root).as_posix(): _read(path) for path in root.rglob("*") if path.is_file()}


def page(path: str) -> Response:
    """Serve a file; the page itself for every path that is none, because the browser's router knows it."""
    files: dict[str, File] = current_app.extensions["site"]
    found = files.get(path) or files.get("index.html")
    if found is None:
        refuse(404, "No front end is served here; set WEB_ROOT to a built one.")
    response = Response(found.body, content_type=found.content_type)
    response.headers["Cache-Control"] = found.cache_control
    response.set_etag(found.etag)
    return response.make_conditional(request)  # type: ignore[return-value]


def _read(path: Path) -> File:
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type.startswith("text/") or content_type == "application/javascript":
        content_type += "; charset=utf-8"
    body = path.read_bytes()
    cache_control = FOR_EVER if HASHED.search(path.name) else "no-cache"
    return File(body, content_type, cache_control, sha256(body).hexdigest()[:32])
