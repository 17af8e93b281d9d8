"""Sending a message and relaying the answer; rating and hiding answers."""

import uuid
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, current_app, request
from flask_login import current_user, login_required

from chat import exchange
from chat.answers import problem_document, problem_response
from chat.departures import Client, ClientLeft
from chat.exchange import Exchange
from chat.extensions import cache, db, model
from chat.language_model import LanguageModelError
from chat.models import Conversation, Message
from chat.problems import UNAVAILABLE, Invalid, refuse, unavailable
from chat.schemas import FeedbackChange, HideChange, NewMessage, body
from chat.security import role_required

bp = Blueprint("messages", __name__, url_prefix="/api")
STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


@bp.post("/conversations/<uuid:id>/messages")
@login_required
def send(id: uuid.UUID) -> Response:
    """Save a message and answer it: as a stream of events or, for clients that want JSON, whole."""
    content = body(NewMessage).content
    started = exchange.begin(current_user.id, id, content)
    client = Client(request.environ.get("gunicorn.socket"))
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if "text/event-stream" in request.headers.get("Accept", ""):
        return Response(events(app, started, client), content_type="text/event-stream", headers=STREAM_HEADERS)
    return whole(app, started, client)


@bp.put("/messages/<uuid:id>/feedback")
@login_required
def feedback(id: uuid.UUID) -> dict[str, Any]:
    """Rate an answer in one's own conversation, or take the rating back."""
    message = db.session.get(Message, id)
    conversation = message and db.session.get(Conversation, message.conversation_id)
    if message is None or conversation is None or conversation.owner_id != current_user.id:
        refuse(404, "There is no such message.")
    message.feedback = body(FeedbackChange).value
    _only_answers(message)
    db.session.commit()
    return message.as_dict(reveal=current_user.moderates)


@bp.post("/messages/<uuid:id>/hide")
@role_required("moderator", "admin")
def hide(id: uuid.UUID) -> dict[str, Any]:
    """Hide or show anybody's answer; the model is not reminded of a hidden one."""
    message = db.session.get(Message, id)
    if message is None:
        refuse(404, "There is no such message.")
    message.hidden = body(HideChange).hidden
    _only_answers(message)
    db.session.commit()
    cache.forget_conversation(message.conversation_id)
    return message.as_dict(reveal=True)


def events(app: Flask, started: Exchange, client: Client) -> Iterator[bytes]:
    """Yield the events of one exchange; what arrived together leaves together."""
    stored = {"message": started.message.as_dict(), "conversation": started.conversation.as_dict()}
    yield event(b"message", {**stored, "answer_id": str(started.answer_id)})
    text: list[str] = []
    interrupted = True
    dumps = orjson.dumps
    try:
        for pieces in model.answer(started.context, client):
            text += pieces
            yield b"".join([b'event: token\ndata: {"text":%b}\n\n' % dumps(piece) for piece in pieces])
        interrupted = False
        last = event(b"done", {"message": save(app, started, text).as_dict()})
    except LanguageModelError as error:
        last = event(b"error", problem_document(error.status, error.detail))
    except UNAVAILABLE as error:
        last = event(b"error", unavailable(error))
    except ClientLeft:
        last = b""
    finally:
        if interrupted:
            save(app, started, text)
    yield last


def whole(app: Flask, started: Exchange, client: Client) -> Response:
    """Return message and answer once the answer is complete."""
    text: list[str] = []
    interrupted = True
    try:
        for pieces in model.answer(started.context, client):
            text += pieces
        interrupted = False
    except LanguageModelError as error:
        return problem_response(error.status, error.detail)
    except ClientLeft:
        return problem_response(502, "The client left.")  # nobody reads this
    finally:
        if interrupted:
            save(app, started, text)
    answer = save(app, started, text)
    document = {"message": started.message.as_dict(), "answer": answer.as_dict()}
    return Response(orjson.dumps(document), status=201, content_type="application/json")


def save(app: Flask, started: Exchange, text: list[str]) -> Message:
    """Save an answer as far as it got; the request's own context may be gone."""
    with app.app_context():
        return exchange.finish(started, "".join(text))


def event(name: bytes, data: dict[str, Any]) -> bytes:
    """Return one server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name, orjson.dumps(data))


def _only_answers(message: Message) -> None:
    if message.role != "assistant":
        db.session.rollback()
        raise Invalid({"non_field_errors": ["Only answers are rated or hidden."]})
