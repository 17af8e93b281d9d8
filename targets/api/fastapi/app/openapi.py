"""The description of the API, as FastAPI derives it from the code, with what FastAPI cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.schemas import DoneEvent, MessageEvent, Problem, TokenEvent

TITLE = "chatbench chatbot API"
DESCRIPTION = (
    "Browsers sign in with a session cookie and send the CSRF token of the `csrftoken` cookie back in `X-CSRFToken` "
    "with every unsafe request. Programs send `Authorization: Bearer <token>` and no CSRF token. Every error is an "
    "RFC 9457 problem document. Other users' objects answer 404."
)


def install(app: FastAPI) -> None:
    """Make an application describe itself this way."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes)
    schemas = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in (each for path in schema["paths"].values() for each in path.values()):
        operation["responses"].pop("422", None)  # it is a 400 here, and a problem document
    _, events = models_json_schema(
        [(model, "serialization") for model in (MessageEvent, TokenEvent, DoneEvent, Problem)],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update({name: each for name, each in events["$defs"].items() if name not in schemas})
    return schema
