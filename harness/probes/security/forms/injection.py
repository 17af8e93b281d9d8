"""SQL injection: well-known inputs into every field, path, query and cookie that the pages take."""

import html
import re
import urllib.parse
from collections.abc import Callable
from urllib.parse import quote

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.contract.forms import open_page
from harness.probes.probe import Seen
from harness.probes.security.forms.scene import BEGINNER, OTHER, OWNER, SIGN_IN, Kept, Scene, answered, outcome, send
from harness.probes.security.sql_injection import Input, Judge, refused, try_all
from harness.probes.security.sql_inputs import FEW, INJECTIONS
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

_TITLES = re.compile(r'<a class="conversation"[^>]* title="([^"]*)"')
_COUNT = re.compile(r'<span class="hint">(\d+)</span>')
_NAMES = re.compile(r'aria-label="Role of ([^"]*)"')


def sql(scene: Scene) -> Seen:
    """Return what the inputs did; passed where each was text and nothing else, and other people's data is as before."""
    tally = Tally()
    kept, mine = scene.kept, scene.keep(scene.writer)
    before = _world(scene, kept)
    places = [*_texts(scene, mine), *_searches(scene), *_paths(scene, mine), *_credentials(scene)]
    try_all(tally, places, _owners_words(kept))
    tally.same("users, roles and other people's conversations afterwards", before, _world(scene, kept))
    return tally.seen(f"{tally.wrong} of {tally.inputs} inputs at {len(places)} places did anything.")


def _owners_words(kept: Kept) -> str:
    """Return what stands in the owner's conversation and in nobody else's: the tag of its message."""
    return str(kept.document()["messages"][0]["content"]).rpartition("tag-")[2].partition("?")[0]


def _world(scene: Scene, kept: Kept) -> tuple[object, ...]:
    listed = _TITLES.findall(open_page(scene.other, "/").body.decode())
    people = _COUNT.findall(open_page(scene.admin, "/users").body.decode())
    expect(bool(people), "the admin's page does not say how many users there are")
    users = [scene.user(name) for name in (OWNER, OTHER, "moderator", "admin")]
    return listed, people, users, *kept.state()


def _texts(scene: Scene, mine: Kept) -> list[Input]:
    beginner = scene.site.seeded(BEGINNER)
    other = scene.user(OTHER)[0]

    def message(text: str) -> Answer:
        return send(scene.writer, mine.path("send"), content=scene.message(text))

    def said(text: str, answer: Answer) -> str | None:
        asked = [one["content"] for one in mine.document()["messages"] if one["role"] == "user"][-1]
        return _not_done(answer) or (None if asked.startswith(f"{text} tag-") else f"came back as {asked!r}")

    def begin(text: str) -> Answer:
        return send(beginner, "/messages", content=scene.message(text))

    def begun(text: str, answer: Answer) -> str | None:
        wrong = _not_done(answer)
        if wrong is None:
            made = Kept(beginner, urllib.parse.urlsplit(answer.header("Location")).path.rpartition("/")[2], "")
            title = str(made.document()["title"])
            wrong = None if title.startswith(text[:40]) else f"came back as {title!r}"
        return wrong

    def renamed(text: str, answer: Answer) -> str | None:
        title = mine.document()["title"]
        return _not_done(answer) or (None if title == text else f"came back as {title!r}")

    def form(browser: Client, operation: str, field: str) -> Callable[[str], Answer]:
        return lambda text: send(browser, mine.path(operation, other), **{field: text})

    return [
        Input(name="send content", send=message, wrong=said),
        Input(name="begin content", send=begin, wrong=begun),
        Input(name="rename title", send=form(scene.writer, "rename", "title"), wrong=renamed),
        Input(name="rate feedback", send=form(scene.writer, "rate", "feedback"), wrong=refused(400)),
        Input(name="hide hidden", send=form(scene.moderator, "hide", "hidden"), wrong=refused(400)),
        Input(name="change user role", send=form(scene.admin, "change user", "role"), wrong=refused(400)),
        Input(name="change user is_active", send=form(scene.admin, "change user", "is_active"), wrong=refused(400)),
    ]


def _not_done(answer: Answer) -> str | None:
    return None if outcome(answer) == "done" else f"{answer.status} instead of 302"


def _searches(scene: Scene) -> list[Input]:
    beginner = scene.site.seeded(BEGINNER)

    def get(browser: Client, path: str) -> Callable[[str], Answer]:
        return lambda text: answered(browser, "GET", path + quote(text, safe=""), headers={"Accept": "text/html"})

    return [
        Input(name="list q", send=get(beginner, "/?q="), wrong=_finds(_TITLES)),
        Input(name="list shown", send=get(beginner, "/?shown="), wrong=refused(200, 400)),
        Input(name="list users name", send=get(scene.admin, "/users?name="), wrong=_finds(_NAMES)),
        Input(name="list users people", send=get(scene.admin, "/users?people="), wrong=refused(200, 400)),
    ]


def _finds(pattern: "re.Pattern[str]") -> Judge:
    """A search finds what holds the text literally, and nothing else."""

    def wrong(text: str, answer: Answer) -> str | None:
        if answer.status == 400:
            return None
        expect(answer.status == 200, f"{answer.status} instead of the page")
        found = [html.unescape(one) for one in pattern.findall(answer.body.decode())]
        strangers = [one for one in found if text.lower() not in one.lower()]
        return f"found {strangers[0]!r}" if strangers else None

    return wrong


def _paths(scene: Scene, mine: Kept) -> list[Input]:
    """Try ids in paths: 404 or malformed for text that is no id; 405 where the text makes another path of it."""
    nothing = refused(400, 404, 405)

    def get(path: str) -> Callable[[str], Answer]:
        return lambda text: answered(scene.writer, "GET", path.replace("{}", quote(text, safe="")))

    def post(browser: Client, path: str, **fields: str) -> Callable[[str], Answer]:
        return lambda text: send(browser, path.replace("{}", quote(text, safe="")), **fields)

    export = mine.path("export").replace("=json", "={}")
    return [
        Input(name="open id", send=get("/c/{}"), wrong=nothing),
        Input(name="export id", send=get("/c/{}/export"), wrong=nothing),
        Input(name="export format", send=get(export), wrong=nothing),
        Input(name="delete id", send=post(scene.writer, "/c/{}/delete"), wrong=nothing),
        Input(name="rate id", send=post(scene.writer, "/messages/{}/feedback", feedback="up"), wrong=nothing),
        Input(name="hide id", send=post(scene.moderator, "/messages/{}/hide", hidden="true"), wrong=nothing),
        Input(name="change user id", send=post(scene.admin, "/users/{}", role="user"), wrong=nothing),
    ]


def _credentials(scene: Scene) -> list[Input]:
    def sign(field: str) -> Callable[[str], Answer]:
        return lambda text: send(scene.anonymous(), SIGN_IN, **{"username": OTHER, "password": PASSWORD, field: text})

    def cookie(text: str, encode: Callable[[str], str]) -> Answer:
        headers = {"Cookie": f"sessionid={encode(text)}"}
        return answered(Client(scene.base_url), "GET", "/", headers=headers)

    def raw(text: str) -> str:
        return text.encode("ascii", "replace").decode()

    def stranger(_: str, answer: Answer) -> str | None:
        seen = outcome(answer)
        return None if seen in ("sign in first", "400") else f"{seen} instead of the sign-in page"

    return [
        Input(name="sign in username", send=sign("username"), wrong=refused(400, 401), texts=FEW),
        Input(name="sign in password", send=sign("password"), wrong=refused(400, 401), texts=FEW),
        Input(name="session cookie", send=lambda text: cookie(text, raw), wrong=stranger),
        Input(name="session cookie, encoded", send=lambda text: cookie(text, quote), wrong=stranger, texts=INJECTIONS),
    ]
