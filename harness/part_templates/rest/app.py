"""A chatbot with a REST API: the part of the contract (targets/openapi.yaml) that the load needs, and a sign-in.

Put your own in its place. ``python -m uvicorn app:app`` starts it; its page is ``page/``, or the one in WEB_ROOT.
"""

import gc
import json
import os
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel

import store
from model import ModelError, pieces_of_answer


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Freeze what was imported: garbage collection would walk all of it, again and again, while every stream waits."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 10, 100)  # short collections often, full ones rarely
    yield


app = FastAPI(lifespan=lifespan)
web_root = Path(os.environ.get("WEB_ROOT") or Path(__file__).with_name("page")).resolve()


class Credentials(BaseModel):
    """The body of a request to sign in."""

    username: str
    password: str


class NewMessage(BaseModel):
    """The body of a request that asks the model."""

    content: str


@app.exception_handler(HTTPException)
async def problem(_: Request, error: HTTPException) -> Response:
    """Answer errors as problem documents (RFC 9457)."""
    document = {"type": "about:blank", "title": error.detail, "status": error.status_code, "detail": error.detail}
    return JSONResponse(document, error.status_code, media_type="application/problem+json")


def signed_in(sessionid: Annotated[str | None, Cookie()] = None) -> str:
    """Return the name of who is signed in."""
    if sessionid not in store.sessions:
        raise HTTPException(401, "Not signed in.")
    return store.sessions[sessionid]


def same_site(
    request: Request, csrftoken: Annotated[str, Cookie()] = "", x_csrftoken: Annotated[str, Header()] = ""
) -> None:
    """Refuse what another site's page sent: it cannot read our cookie, and browsers say where a request comes from."""
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "The request comes from another site.")
    if not csrftoken or not secrets.compare_digest(csrftoken, x_csrftoken):
        raise HTTPException(403, "The CSRF token is missing or wrong.")


User = Annotated[str, Depends(signed_in)]
Unsafe = Depends(same_site)


def owned(number: str, user: User) -> store.Conversation:
    """Return a conversation of this user; answer 404 for other users' conversations."""
    found = store.conversations.get(number)
    if found is None or found.owner != user:
        raise HTTPException(404, "No such conversation.")
    return found


Owned = Annotated[store.Conversation, Depends(owned)]


def about(user: str) -> dict[str, Any]:
    """Return the signed-in user as the page shows it."""
    return {"id": store.USERS[user], "username": user, "role": "user", "is_active": True}


@app.get("/api/health")
async def health() -> dict[str, str]:
    """Say that it is up."""
    return {"status": "ok"}


@app.get("/api/auth/me")
async def me(response: Response, request: Request) -> Any:
    """Say who is signed in; brings the CSRF token."""
    user = store.sessions.get(request.cookies.get("sessionid", ""))
    if user is None:
        response = await problem(request, HTTPException(401, "Not signed in."))
    if "csrftoken" not in request.cookies:
        response.set_cookie("csrftoken", secrets.token_hex(16), samesite="lax")
    return response if user is None else about(user)


@app.post("/api/auth/login", dependencies=[Unsafe])
async def login(said: Credentials, response: Response) -> dict[str, Any]:
    """Sign in."""
    token = store.sign_in(said.username, said.password)
    if token is None:
        raise HTTPException(401, "Wrong name or password.")
    response.set_cookie("sessionid", token, httponly=True, samesite="lax")
    return about(said.username)


@app.post("/api/auth/logout", status_code=204, dependencies=[Unsafe])
async def logout(response: Response, sessionid: Annotated[str, Cookie()] = "") -> None:
    """Sign out."""
    store.sessions.pop(sessionid, None)
    response.delete_cookie("sessionid")


@app.get("/api/conversations")
async def list_conversations(user: User) -> dict[str, Any]:
    """List one's own conversations, the last updated first."""
    own = sorted((c for c in store.conversations.values() if c.owner == user), key=lambda c: c.updated_at)
    return {"count": len(own), "next": None, "previous": None, "results": [c.about() for c in reversed(own)]}


@app.post("/api/conversations", status_code=201, dependencies=[Unsafe])
async def create_conversation(user: User) -> dict[str, str]:
    """Begin a conversation."""
    made = store.Conversation(user)
    store.conversations[made.id] = made
    return made.about()


@app.get("/api/conversations/{number}")
async def get_conversation(conversation: Owned) -> dict[str, str]:
    """Show a conversation."""
    return conversation.about()


@app.get("/api/conversations/{number}/messages")
async def list_messages(conversation: Owned) -> dict[str, Any]:
    """Show a conversation's messages."""
    return {"results": conversation.messages}


@app.post("/api/conversations/{number}/messages", dependencies=[Unsafe])
async def send_message(said: NewMessage, conversation: Owned) -> Response:
    """Take a message and stream the answer: the events ``message``, ``token`` …, then ``done`` or ``error``."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(answer(said.content, conversation), media_type="text/event-stream", headers=headers)


async def answer(content: str, conversation: store.Conversation) -> AsyncIterator[str]:
    """Yield the events of one answer."""
    number, text = str(uuid.uuid4()), ""
    message = conversation.add("user", content)
    yield event("message", {"message": message, "answer_id": number, "conversation": conversation.about()})
    history = [{"role": message["role"], "content": message["content"]} for message in conversation.messages]
    try:
        async for piece in pieces_of_answer(history):
            text += piece
            yield event("token", {"text": piece})
    except ModelError as error:
        if text:
            conversation.add("assistant", text, number)  # as far as it got: the page shows it
        yield event("error", {"type": "about:blank", "title": "Bad gateway", "status": 502, "detail": str(error)})
    else:
        yield event("done", {"message": conversation.add("assistant", text, number)})


def event(name: str, data: dict[str, Any]) -> str:
    """Return one server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@app.get("/{path:path}")
async def page(path: str) -> FileResponse:
    """Serve the front end; an address inside the application gets its page."""
    if path.startswith("api/"):
        raise HTTPException(404, "No such path.")
    file = (web_root / path).resolve()
    inside = file.is_file() and file.is_relative_to(web_root)
    return FileResponse(file if inside else web_root / "index.html")
