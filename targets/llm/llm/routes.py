"""Which path and method does what."""

import time
from collections.abc import Callable

from . import answers, embeddings, requests, wire
from .answering import Answering, Client, Model, Streamed, Whole
from .errors import ApiError

MODEL_NAME = "stand-in"
_CREATED = int(time.time())


def reply(method: str, url: bytes, body: bytes, client: Client, model: Model) -> bytes | Answering:
    """Return a complete response, or the answer that was begun.

    Raises:
        ApiError: what the client is to be told instead.
    """
    path = url.partition(b"?")[0].decode("latin-1").rstrip("/")
    if path not in ROUTES:
        known = ", ".join(ROUTES)
        raise ApiError(404, f"Unknown request URL: {method} {path}. Known paths: {known}.", code="unknown_url")
    wanted, handler = ROUTES[path]
    if method == "HEAD" and wanted == "GET":
        return wire.json_response(200, handler(body, client, model), keep_alive=client.keep_alive, body=False)
    if method != wanted:
        message = f"Not allowed to {method} on {path}: use {wanted}."
        raise ApiError(405, message, code="method_not_supported", headers={"allow": wanted})
    content = handler(body, client, model)
    return content if isinstance(content, Answering) else wire.json_response(200, content, keep_alive=client.keep_alive)


def _chat(body: bytes, client: Client, model: Model) -> Answering:
    request = requests.parse(body)
    answer = answers.plan(model.seed, model.timing, request.message, request.chatbench, model.calls, request.parameters)
    if answer.fault in ("429", "500"):
        now_s = time.monotonic()
        model.log.add(answer, now_s, now_s + answer.ttft_s, [], now_s, finished=False)
        raise _fault(answer.fault)
    return (Streamed if request.stream else Whole)(client, request, answer, model)


def _embeddings(body: bytes, client: Client, model: Model) -> object:
    request_s = time.monotonic()
    texts, packed = embeddings.parse(body)
    found = embeddings.listed(texts, packed=packed)
    model.log.add_silent(answers.tag_of(texts[-1], model.calls), request_s, time.monotonic())
    return found


def _fault(status: str) -> ApiError:
    if status == "429":
        message, kind, code = "Rate limit reached, as asked for.", "requests", "rate_limit_exceeded"
        return ApiError(429, message, kind=kind, code=code, headers={"retry-after": "1"})
    return ApiError(500, "The server had an error, as asked for.", kind="server_error")


def _models(body: bytes, client: Client, model: Model) -> object:
    item = {"id": MODEL_NAME, "object": "model", "created": _CREATED, "owned_by": "chatbench"}
    return {"object": "list", "data": [item]}


def _health(body: bytes, client: Client, model: Model) -> object:
    return {"status": "ok"}


ROUTES: dict[str, tuple[str, Callable[[bytes, Client, Model], object]]] = {
    "/v1/chat/completions": ("POST", _chat),
    "/v1/embeddings": ("POST", _embeddings),
    "/v1/models": ("GET", _models),
    "/health": ("GET", _health),
}
