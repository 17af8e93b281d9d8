"""Which path and method does what."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import answers, embeddings, moderations, requests, wire
from .answering import Answering, Client, Model, Streamed, Whole
from .encodings import decoded
from .errors import ApiError, WantedError

MODEL_NAME = "stand-in"
TAG_HEADER = b"x-chatbench-tag"
KEPT_HEADERS = (TAG_HEADER, b"content-encoding")
_CREATED = int(time.time())
#: how a path begins below an address with or without /v1: some clients add it again, that for Azure words of its own
_BASE = re.compile(r"^(?=/(?:v1|openai)/)(?:/v1)*(?:/openai(?:/v1|/deployments/[^/]+)?)?(?=/)")
_BARE_TAG = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as a handler gets it: the ``rest`` of its path, and as ``marks`` what its headers say of the tag."""

    body: bytes
    rest: str
    marks: tuple[str, ...]


Handler = Callable[[Asked, Client, Model], object]


def reply(
    method: str, url: bytes, headers: Mapping[bytes, bytes], body: bytes, client: Client, model: Model
) -> bytes | Answering:
    """Return a complete response, or the answer that was begun; the log has what was refused, too.

    Raises:
        ApiError: what the client is to be told instead.
    """
    try:
        return _reply(method, url, headers, body, client, model)
    except WantedError:
        raise
    except ApiError as error:
        model.log.add_refused(time.monotonic(), f"{error.status}: {error}")
        raise


def _reply(
    method: str, url: bytes, headers: Mapping[bytes, bytes], body: bytes, client: Client, model: Model
) -> bytes | Answering:
    path = re.sub("/+", "/", url.partition(b"?")[0].decode("latin-1")).rstrip("/")
    wanted, handler, rest = _found(method, path)
    asked = Asked(body=decoded(body, headers.get(b"content-encoding", b"")), rest=rest, marks=_marks(headers))
    if method == "HEAD" and wanted == "GET":
        return wire.json_response(200, handler(asked, client, model), keep_alive=client.keep_alive, body=False)
    if method != wanted:
        message = f"Not allowed to {method} on {path}: use {wanted}."
        raise ApiError(405, message, code="method_not_supported", headers={"allow": wanted})
    content = handler(asked, client, model)
    return content if isinstance(content, Answering) else wire.json_response(200, content, keep_alive=client.keep_alive)


def _found(method: str, path: str) -> tuple[str, Handler, str]:
    """Return the method and the handler of a path, and what follows the path that they are known by."""
    place = _BASE.sub("/v1", path)
    if place in ROUTES:
        return (*ROUTES[place], "")
    if place.startswith(f"{MODELS}/"):
        return "GET", _model, place.removeprefix(f"{MODELS}/")
    known = ", ".join([*ROUTES, f"{MODELS}/NAME"])
    raise ApiError(404, f"Unknown request URL: {method} {path}. Known paths: {known}.", code="unknown_url")


def _marks(headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    said = headers.get(TAG_HEADER, b"").decode("latin-1").strip()
    return (f"tag-{said}" if _BARE_TAG.fullmatch(said) else said,) if said else ()


def _chat(asked: Asked, client: Client, model: Model) -> Answering:
    return _answer(requests.chat(asked.body), asked, client, model)


def _text(asked: Asked, client: Client, model: Model) -> Answering:
    return _answer(requests.text(asked.body), asked, client, model)


def _response(asked: Asked, client: Client, model: Model) -> Answering:
    return _answer(requests.responses(asked.body), asked, client, model)


def _answer(request: requests.AnswerRequest, asked: Asked, client: Client, model: Model) -> Answering:
    answer = answers.plan(
        model.seed,
        model.timing,
        request.message,
        model.calls,
        marks=(*asked.marks, *request.marks),
        chatbench=request.chatbench,
        schema=request.schema,
        parameters=request.parameters,
    )
    if answer.fault in ("429", "500"):
        now_s = time.monotonic()
        model.log.add(answer, now_s, now_s + answer.ttft_s, [], now_s, finished=False)
        raise _fault(answer.fault)
    return (Streamed if request.stream else Whole)(client, request, answer, model)


def _embeddings(asked: Asked, client: Client, model: Model) -> object:
    request_s = time.monotonic()
    request = embeddings.parse(asked.body)
    found = embeddings.listed(request)
    _log_silent(request.texts, (*asked.marks, *request.marks), request_s, model)
    return found


def _moderations(asked: Asked, client: Client, model: Model) -> object:
    request_s = time.monotonic()
    data, texts = embeddings.texts_of(asked.body)
    _log_silent(texts, (*asked.marks, *requests.marks_of(data)), request_s, model)
    return moderations.listed(texts)


def _log_silent(texts: list[str], marks: tuple[str, ...], request_s: float, model: Model) -> None:
    model.log.add_silent(answers.tag_of(texts[-1], model.calls, marks), request_s, time.monotonic())


def _fault(status: str) -> WantedError:
    if status == "429":
        message, kind, code = "Rate limit reached, as asked for.", "requests", "rate_limit_exceeded"
        return WantedError(429, message, kind=kind, code=code, headers={"retry-after": "1"})
    return WantedError(500, "The server had an error, as asked for.", kind="server_error")


def _models(asked: Asked, client: Client, model: Model) -> object:
    return {"object": "list", "data": [_described(MODEL_NAME)]}


def _model(asked: Asked, client: Client, model: Model) -> object:
    return _described(asked.rest)


def _described(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "chatbench"}


def _health(asked: Asked, client: Client, model: Model) -> object:
    return {"status": "ok"}


MODELS = "/v1/models"
ROUTES: dict[str, tuple[str, Handler]] = {
    "/v1/chat/completions": ("POST", _chat),
    "/v1/responses": ("POST", _response),
    "/v1/completions": ("POST", _text),
    "/v1/embeddings": ("POST", _embeddings),
    "/v1/moderations": ("POST", _moderations),
    MODELS: ("GET", _models),
    "/health": ("GET", _health),
}
