"""SQL injection: well-known inputs into every text, path, query, cookie and header that the contract takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from harness.audit.probing import Seen
from harness.audit.security.inputs import DELAYS, FEW, INJECTIONS, SLOW_S, telltale
from harness.audit.security.rest.scene import OTHER, OWNER, Kept, Scene, answered
from harness.audit.security.tally import Tally
from harness.conformance.client import Answer, Client
from harness.conformance.probes import RefutedError
from harness.conformance.world import PASSWORD

#: what reading an answer of another form than the contract's raises
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
Judge = Callable[[str, Answer], str | None]  # the text and what came of it -> what is wrong, None for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One place that takes a text: how to put it there, and what is wrong with an answer."""

    name: str
    send: Callable[[str], Answer]
    wrong: Judge
    texts: tuple[str, ...] = (*INJECTIONS, *DELAYS)


def sql(scene: Scene) -> Seen:
    """Return what the inputs did; held where each was text and nothing else, and other people's data is as before."""
    tally = Tally()
    kept = scene.kept
    mine = scene.keep(scene.writer)
    before = _world(scene, kept)
    places = _inputs(scene, mine)
    for place in places:
        for text in place.texts:
            _try(scene, tally, place, text)
    tally.same("users, roles and other people's conversations afterwards", before, _world(scene, kept))
    return tally.seen(f"{tally.wrong} of {len(tally.tries)} inputs at {len(places)} places did anything.")


def _try(scene: Scene, tally: Tally, place: Input, text: str) -> None:
    answer, took_s = _timed(place, text)
    if took_s > SLOW_S:  # once is a busy machine, twice beside a quick harmless word is the input
        again_s, harmless_s = _timed(place, text)[1], _timed(place, "harmless")[1]
        delayed = again_s > SLOW_S > 2 * harmless_s
    else:
        delayed = False
    body = answer.body.decode(errors="replace")
    let_out = telltale(_plain(body)) or ("the owner's words" if scene.secret in body else None)
    wrong = (
        (f"waited {took_s:.1f} s" if delayed else None)
        or (f"{answer.status or 'connection lost'}" if answer.status == 0 or answer.status >= 500 else None)
        or (f"let out {let_out!r}" if let_out else None)
        or _misread(place, text, answer)
    )
    tally.note(f"{place.name} {text!r}", "nothing", wrong or str(answer.status), wrong is None)


def _misread(place: Input, text: str, answer: Answer) -> str | None:
    try:
        return place.wrong(text, answer)
    except (RefutedError, *UNREADABLE) as error:
        return str(error)


def _timed(place: Input, text: str) -> tuple[Answer, float]:
    begun_s = time.monotonic()
    return place.send(text), time.monotonic() - begun_s


def _plain(body: str) -> str:
    """Undo JSON's escapes, so that what was given is recognised when it comes back."""
    return body.replace('\\"', '"').replace("\\\\", "\\")


def _world(scene: Scene, kept: Kept) -> tuple[object, ...]:
    users = answered(scene.admin, "GET", "/api/admin/users")
    others = answered(scene.other, "GET", "/api/conversations")
    counts = [one.json()["count"] if one.status == 200 else one.status for one in (users, others)]
    return (*counts, *(scene.user(name) for name in (OWNER, OTHER, "moderator", "admin")), *kept.state())


def _refused(*statuses: int) -> Judge:
    return lambda _, answer: None if answer.status in statuses else f"{answer.status} instead of a refusal"


def _stored(status: int, *path: str) -> Judge:
    def wrong(text: str, answer: Answer) -> str | None:
        if answer.status == 400:
            return None  # refused as a text of the wrong form
        document = answer.json(status)
        for key in path:
            document = document[key]
        return None if document == text else f"came back as {document!r}"

    return wrong


def _finds(field: str) -> Judge:
    """A search finds what holds the text literally, and nothing else."""

    def wrong(text: str, answer: Answer) -> str | None:
        if answer.status == 400:
            return None
        strangers = [one[field] for one in answer.json()["results"] if text.lower() not in one[field].lower()]
        return f"found {strangers[0]!r}" if strangers else None

    return wrong


def _inputs(scene: Scene, mine: Kept) -> list[Input]:
    return [*_texts(scene, mine), *_searches(scene), *_paths(scene), *_credentials(scene)]


def _texts(scene: Scene, mine: Kept) -> list[Input]:
    writer = scene.writer
    user = f"/api/admin/users/{scene.user(OTHER)['id']}"

    def message(text: str) -> Answer:
        tagged = scene.world.message(text, tokens=2, ttft_s=0, itl_s=0).content
        return answered(writer, "POST", mine.path("sendMessage"), {"content": tagged})

    def answered_message(text: str, answer: Answer) -> str | None:
        kept = answer.json(201)["message"]["content"]
        return None if kept.startswith(f"{text} tag-") else f"came back as {kept!r}"

    def begin(text: str) -> Answer:
        return answered(writer, "POST", "/api/conversations", {"title": text})

    def rename(text: str) -> Answer:
        return answered(writer, "PATCH", mine.path("renameConversation"), {"title": text})

    def rate(text: str) -> Answer:
        return answered(writer, "PUT", mine.path("setFeedback"), {"value": text})

    def promote(text: str) -> Answer:
        return answered(scene.admin, "PATCH", user, {"role": text})

    return [
        Input(name="createConversation title", send=begin, wrong=_stored(201, "title")),
        Input(name="renameConversation title", send=rename, wrong=_stored(200, "title")),
        Input(name="sendMessage content", send=message, wrong=answered_message),
        Input(name="setFeedback value", send=rate, wrong=_refused(400)),
        Input(name="updateUser role", send=promote, wrong=_refused(400)),
    ]


def _searches(scene: Scene) -> list[Input]:
    def get(client: Client, path: str) -> Callable[[str], Answer]:
        return lambda text: answered(client, "GET", path + quote(text, safe=""))

    conversations, users = "/api/conversations", "/api/admin/users"
    return [
        Input(
            name="listConversations search", send=get(scene.writer, f"{conversations}?search="), wrong=_finds("title")
        ),
        Input(
            name="listConversations page", send=get(scene.writer, f"{conversations}?page="), wrong=_refused(400, 404)
        ),
        Input(name="listUsers search", send=get(scene.admin, f"{users}?search="), wrong=_finds("username")),
        Input(name="listUsers page", send=get(scene.admin, f"{users}?page="), wrong=_refused(400, 404)),
    ]


def _paths(scene: Scene) -> list[Input]:
    """Ids in paths: what is no id is not found, or malformed; 405 where the text makes another path of it."""
    refused = _refused(400, 404, 405)

    def ask(client: Client, method: str, path: str, body: object = None) -> Callable[[str], Answer]:
        return lambda text: answered(client, method, path.replace("{}", quote(text, safe="")), body)

    writer = scene.writer
    export = scene.world.conversation(writer, "To export")["id"]
    return [
        Input(name="getConversation id", send=ask(writer, "GET", "/api/conversations/{}"), wrong=refused),
        Input(name="listMessages id", send=ask(writer, "GET", "/api/conversations/{}/messages"), wrong=refused),
        Input(name="deleteConversation id", send=ask(writer, "DELETE", "/api/conversations/{}"), wrong=refused),
        Input(
            name="exportConversation format",
            send=ask(writer, "GET", f"/api/conversations/{export}/export?format={{}}"),
            wrong=refused,
        ),
        Input(
            name="setFeedback id", send=ask(writer, "PUT", "/api/messages/{}/feedback", {"value": "up"}), wrong=refused
        ),
        Input(
            name="hideMessage id",
            send=ask(scene.moderator, "POST", "/api/messages/{}/hide", {"hidden": True}),
            wrong=refused,
        ),
        Input(
            name="updateUser id", send=ask(scene.admin, "PATCH", "/api/admin/users/{}", {"role": "user"}), wrong=refused
        ),
    ]


def _credentials(scene: Scene) -> list[Input]:
    def sign(path: str, field: str) -> Callable[[str], Answer]:
        plain = {"username": OTHER, "password": PASSWORD}
        return lambda text: answered(scene.anonymous(), "POST", path, plain | {field: text})

    def cookie(text: str) -> Answer:
        return answered(
            Client(scene.base_url), "GET", "/api/auth/me", headers={"Cookie": f"sessionid={quote(text, safe='')}"}
        )

    def raw_cookie(text: str) -> Answer:
        value = text.encode("ascii", "replace").decode()
        return answered(Client(scene.base_url), "GET", "/api/auth/me", headers={"Cookie": f"sessionid={value}"})

    def bearer(text: str) -> Answer:
        value = text.encode("ascii", "replace").decode()
        return answered(Client(scene.base_url), "GET", "/api/auth/me", headers={"Authorization": f"Bearer {value}"})

    refused = _refused(400, 401)
    return [
        Input(name="login username", send=sign("/api/auth/login", "username"), wrong=refused, texts=FEW),
        Input(name="login password", send=sign("/api/auth/login", "password"), wrong=refused, texts=FEW),
        Input(name="createToken username", send=sign("/api/auth/token", "username"), wrong=refused, texts=FEW),
        Input(name="session cookie", send=raw_cookie, wrong=refused),
        Input(name="session cookie, encoded", send=cookie, wrong=refused, texts=INJECTIONS),
        Input(name="bearer token", send=bearer, wrong=refused),
    ]
