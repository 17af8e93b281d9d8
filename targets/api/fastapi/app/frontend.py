"""The built front end; in containers nginx serves it."""

import os
import re
from os import stat_result
from typing import Any

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Scope

HASHED = re.compile(r"[-.][0-9A-Za-z_-]{8,}\.[a-z0-9]+$")
FOR_EVER = "public, max-age=31536000, immutable"


class FrontEnd(StaticFiles):
    """Files, and the page itself for every path that is none, because the browser's router knows it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file of this path."""
        if scope["path"] == "/api" or scope["path"].startswith("/api/"):
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        try:
            return await super().get_response(path, scope)
        except HTTPException as exc:
            if exc.status_code != 404:
                raise
            return await super().get_response("index.html", scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return a file; one with a hash in its name never changes."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = FOR_EVER if HASHED.search(os.fspath(full_path)) else "no-cache"
        return response


async def nothing(scope: Scope, receive: Any, send: Any) -> None:
    """Stand for the front end where there is none."""
    raise HTTPException(404, "No front end is served here; set WEB_ROOT to a built one.")
