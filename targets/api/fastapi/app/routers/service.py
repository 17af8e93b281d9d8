"""Health, and the description of the API."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from app import problems
from app.cache import Remembered
from app.database import Database
from app.schemas import Health

router = APIRouter(prefix="/api", tags=["service"])
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {"openapi": {"type": "string"}, "info": {"type": "object"}, "paths": {"type": "object"}},
}


@router.get(
    "/health",
    operation_id="health",
    summary="Whether the build can serve, its database and cache included.",
    responses=problems.responses(503),
)
async def health(database: Database, cache: Remembered) -> Health:
    """Ask both."""
    async with database.read() as connection:
        await connection.execute(select(1))
    await cache.ping()
    return Health(status="ok")


@router.get(
    "/schema",
    operation_id="schema",
    summary="This document.",
    response_class=Response,
    responses={
        200: {"description": "The OpenAPI document as JSON.", "content": {"application/json": {"schema": DOCUMENT}}}
    },
)
async def schema(request: Request) -> Response:
    """Describe what the code does; the tests hold it against the contract."""
    return Response(request.state.openapi, media_type="application/json")
