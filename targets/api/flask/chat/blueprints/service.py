"""Health, and the contract itself."""

from functools import cache as once
from pathlib import Path

import orjson
import yaml
from flask import Blueprint, Response, current_app
from sqlalchemy import text

from chat.extensions import cache, db

bp = Blueprint("service", __name__, url_prefix="/api")


@bp.get("/health")
def health() -> dict[str, str]:
    """Say that database and cache answer; one that does not makes it a 503."""
    db.session.execute(text("SELECT 1"))
    cache.ping()
    return {"status": "ok"}


@bp.get("/schema")
def schema() -> Response:
    """Serve the contract every build is held to: one file, not a copy of it derived from this code."""
    return Response(_contract(current_app.config["CONTRACT_FILE"]), content_type="application/json")


@once
def _contract(path: str) -> bytes:
    return orjson.dumps(yaml.safe_load(Path(path).read_text()))
