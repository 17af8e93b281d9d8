"""SQL injection: well-known inputs into every text, path, query, cookie and header that the contract takes."""

from collections.abc import Callable
from urllib.parse import quote

from harness.probes.client import Answer, Client
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import OTHER, OWNER, Kept, Scene, answered
from harness.probes.security.sql_injection import Input, Judge, refused, try_all
from harness.probes.security.sql_inputs import FEW, INJECTIONS
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD


def sql(scene: Scene) -> Seen:
    """Return what the inputs did; passed where each was text and nothing else, and other people's data is as before."""
    tally = Tally()
    kept = scene.kept
    mine = scene.keep(scene.writer)
    before = _world(scene, kept)
    places = _inputs(scene, mine)
    try_all(tally, places, scene.secret)
    tally.same("users, roles and other people's conversations afterwards", before, _world(scene, kept))
    return tally.seen(f"{tally.wrong} of {tally.inputs} inputs at {len(places)} places did anything.")


def _world(scene: Scene, kept: Kept) -> tuple[object, ...]:
    users = answered(scene.admin, "GET", "/api/admin/users")
    others = answered(scene.other, "GET", "/api/conversations")
    counts = [one.json()["count"] if one.status == 200 else one.status for one in (users, others)]
    return (*counts, *(scene.user(name) for name in (OWNER, OTHER, "moderator", "admin")), *kept.state())


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
        Input(name="setFeedback value", send=rate, wrong=refused(400)),
        Input(name="updateUser role", send=promote, wrong=refused(400)),
    ]


def _searches(scene: Scene) -> list[Input]:
    def get(client: Client, path: str) -> Callable[[str], Answer]:
        return lambda text: answered(client, "GET", path + quote(text, safe=""))

    conversations, users = "/api/conversations", "/api/admin/users"
    return [
        Input(
            name="listConversations search", send=get(scene.writer, f"{conversations}?search="), wrong=_finds("title")
        ),
        Input(name="listConversations page", send=get(scene.writer, f"{conversations}?page="), wrong=refused(400, 404)),
        Input(name="listUsers search", send=get(scene.admin, f"{users}?search="), wrong=_finds("username")),
        Input(name="listUsers page", send=get(scene.admin, f"{users}?page="), wrong=refused(400, 404)),
    ]


def _paths(scene: Scene) -> list[Input]:
    """Try ids in paths: 404 or malformed for text that is no id; 405 where the text makes another path of it."""
    no_id = refused(400, 404, 405)

    def ask(client: Client, method: str, path: str, body: object = None) -> Callable[[str], Answer]:
        return lambda text: answered(client, method, path.replace("{}", quote(text, safe="")), body)

    writer = scene.writer
    export = scene.world.conversation(writer, "To export")["id"]
    return [
        Input(name="getConversation id", send=ask(writer, "GET", "/api/conversations/{}"), wrong=no_id),
        Input(name="listMessages id", send=ask(writer, "GET", "/api/conversations/{}/messages"), wrong=no_id),
        Input(name="deleteConversation id", send=ask(writer, "DELETE", "/api/conversations/{}"), wrong=no_id),
        Input(
            name="exportConversation format",
            send=ask(writer, "GET", f"/api/conversations/{export}/export?format={{}}"),
            wrong=no_id,
        ),
        Input(
            name="setFeedback id", send=ask(writer, "PUT", "/api/messages/{}/feedback", {"value": "up"}), wrong=no_id
        ),
        Input(
            name="hideMessage id",
            send=ask(scene.moderator, "POST", "/api/messages/{}/hide", {"hidden": True}),
            wrong=no_id,
        ),
        Input(
            name="updateUser id", send=ask(scene.admin, "PATCH", "/api/admin/users/{}", {"role": "user"}), wrong=no_id
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

    unknown = refused(400, 401)
    return [
        Input(name="login username", send=sign("/api/auth/login", "username"), wrong=unknown, texts=FEW),
        Input(name="login password", send=sign("/api/auth/login", "password"), wrong=unknown, texts=FEW),
        Input(name="createToken username", send=sign("/api/auth/token", "username"), wrong=unknown, texts=FEW),
        Input(name="session cookie", send=raw_cookie, wrong=unknown),
        Input(name="session cookie, encoded", send=cookie, wrong=unknown, texts=INJECTIONS),
        Input(name="bearer token", send=bearer, wrong=unknown),
    ]
