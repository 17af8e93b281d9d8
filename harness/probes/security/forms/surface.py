"""Forged forms, cookies and sessions, headers, and guessing passwords, on a target of forms."""

import json
import secrets
import urllib.parse
from http.cookies import Morsel, SimpleCookie

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.contract.forms import open_page
from harness.probes.probe import NothingToTryError, Seen
from harness.probes.security.forms.scene import (
    FORGETTER,
    LEAVER,
    OPERATIONS,
    OWNER,
    SIGN_IN,
    WRITER,
    Kept,
    Scene,
    answered,
    forge,
    outcome,
    send,
    token,
    unlike,
)
from harness.probes.security.header_policy import HSTS, judge
from harness.probes.security.rest.cookies import CSRF, SESSION, SHORTEST
from harness.probes.security.rest.forgery import FOREIGN
from harness.probes.security.rest.throttling import BYSTANDER, PATIENCE
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

UNSAFE = tuple(name for name, (method, _) in OPERATIONS.items() if method == "POST")
TOKEN = "csrfmiddlewaretoken"  # noqa: S105  # the name of a field
ACROSS = {"Origin": FOREIGN, "Referer": f"{FOREIGN}/", "Sec-Fetch-Site": "cross-site"}


def forgery(scene: Scene) -> Seen:
    """Return whether forged forms are refused and change nothing, while the same with its token works."""
    tally = Tally()
    kept = scene.kept
    number = scene.user(LEAVER)[0]
    before = (*kept.state(), scene.user(LEAVER))
    attacker = token(scene.other)  # anybody can have one of their own
    for operation in (*(one for one in UNSAFE if one != "sign out"), "sign out"):
        browser = scene.admin if operation in ("hide", "change user") else scene.owner
        if operation == "sign in":
            browser = scene.anonymous()
        elif operation == "sign out":
            browser, _ = scene.signed_in(FORGETTER)
        token(browser)
        expect(CSRF in browser.cookies, "the browser got no CSRF cookie, so that there is nothing to leave out")
        _ways(scene, tally, browser, operation, kept.path(operation, number), attacker)
        if operation == "sign out":
            tally.note(
                "the session afterwards",
                "still signed in",
                outcome(answered(browser, "GET", "/")),
                answered(browser, "GET", "/").status == 200,
                control=True,
            )
    _by_reading(scene, tally, kept)
    for method in ("GET", "OPTIONS"):
        for origin in (FOREIGN, "null"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            allowed = answered(scene.owner, method, "/", headers=headers).header("Access-Control-Allow-Origin")
            tally.note(
                f"{method} for a page of {origin}",
                "not allowed to read",
                allowed or "not allowed",
                not allowed,
                control=True,
            )
    tally.same("what was asked for afterwards", before, (*kept.state(), scene.user(LEAVER)))
    works = send(scene.owner, kept.path("rename"), title="Renamed")
    tally.note("the same with its token", "done", outcome(works), outcome(works) == "done", control=True)
    return tally.seen()


def _ways(scene: Scene, tally: Tally, browser: Client, operation: str, path: str, attacker: str) -> None:
    # what would be a change, were it let through
    fields = scene.fields(operation) | {"change user": {"role": "admin"}, "hide": {"hidden": "true"}}.get(operation, {})
    ways: dict[str, Answer] = {
        "no token": forge(browser, path, fields),
        "a wrong token": forge(browser, path, {**fields, TOKEN: "A" * 64}),
        "a token of another's session": forge(browser, path, {**fields, TOKEN: attacker}),
        "no token, from a foreign origin": forge(browser, path, fields, ACROSS),
        "its token, from a foreign origin": forge(browser, path, {**fields, TOKEN: token(browser)}, ACROSS),
    }
    for name, media_type in {"JSON": "application/json", "JSON as text/plain": "text/plain"}.items():
        headers = {"Content-Type": media_type, "Origin": FOREIGN}
        ways[name] = answered(browser, "POST", path, json.dumps(fields).encode(), csrf=False, headers=headers)
    streamed = {"Accept": "text/event-stream", "X-Fragment": "1", "X-Requested-With": "XMLHttpRequest"}
    ways["no token, as a script asks"] = forge(browser, path, fields, streamed)
    for name, answer in ways.items():
        tally.status(f"{operation} with {name}", (403, 415), answer.status)


def _by_reading(scene: Scene, tally: Tally, kept: Kept) -> None:
    """A picture's address is fetched without a token: no GET may act."""
    for operation in ("sign out", "delete", "rename", "rate"):
        path = f"{kept.path(operation)}?{urllib.parse.urlencode(scene.fields(operation))}"
        answer = answered(scene.owner, "GET", path, headers={"X-HTTP-Method-Override": "POST"})
        tally.status(f"GET instead of {operation}", (400, 403, 404, 405), answer.status)
    still = answered(scene.site.seeded(OWNER), "GET", kept.path("open"))
    tally.status("the owner still signed in and the conversation there", (200,), still.status, control=True)


def no_socket(_: Scene) -> Seen:
    """Say why there is nothing to try."""
    raise NothingToTryError("no WebSocket: pages and forms over HTTP, held to the rules on forged requests")


def cookies(scene: Scene) -> Seen:
    """Return how the cookies are protected on plain http, where Secure would keep the browser from sending them."""
    tally = Tally()
    planted = secrets.token_hex(16)
    before = Client(scene.base_url, session=planted)
    open_page(before, SIGN_IN)
    old_csrf = before.cookies.get(CSRF, "")
    answer = send(before, SIGN_IN, username=FORGETTER, password=PASSWORD)
    expect(answer.status == 302, f"the right password was answered with {answer.status}, not 302")
    session = _cookie(answer, SESSION)
    tally.note("session cookie: HttpOnly", "set", "set" if session["httponly"] else "absent", bool(session["httponly"]))
    tally.note("session cookie: Domain", "none", session["domain"] or "none", not session["domain"])
    tally.note("session cookie: length", f"{SHORTEST} or more", str(len(session.value)), len(session.value) >= SHORTEST)
    for name in (SESSION, CSRF):
        same_site = _cookie(answer, name)["samesite"] or "absent"
        tally.note(f"{name}: SameSite", "Lax or Strict", same_site, same_site.lower() in ("lax", "strict"))
    changed = session.value != planted
    tally.note("a session id planted before signing in", "replaced", "replaced" if changed else "kept", changed)
    fresh = before.cookies.get(CSRF, "") != old_csrf
    tally.note("the CSRF token when signing in", "changed", "changed" if fresh else "kept", fresh)
    sessions = {"the planted session id afterwards": planted}
    signed_in = before.cookies[SESSION]
    left = send(before, "/sign-out")
    expect(left.status in (200, 204, 302), f"signing out answered {left.status}")
    for what, value in (sessions | {"the session after signing out": signed_in}).items():
        seen = outcome(answered(Client(scene.base_url, session=value), "GET", "/"))
        tally.note(what, "sign in first", seen, seen == "sign in first")
    back = forge(
        fresh_browser := scene.anonymous(),
        SIGN_IN,
        {TOKEN: token(fresh_browser), "username": FORGETTER, "password": PASSWORD, "next": f"{FOREIGN}/"},
    )
    tally.note(
        "signing in with another site's address to go on to",
        "stays here",
        back.header("Location") or "none",
        not urllib.parse.urlsplit(back.header("Location")).netloc,
    )
    tally.fact("Secure was not asked for: the target is reached by plain http here; a deployment sets it with TLS.")
    return tally.seen()


def _cookie(answer: Answer, name: str) -> "Morsel[str]":
    """Return a cookie that an answer sets; raises RefutedError where it sets none of this name."""
    for line in answer.headers.get_all("Set-Cookie") or []:
        for key, morsel in SimpleCookie(line).items():
            if key == name:
                return morsel
    expect(False, f"{answer.request} set no cookie {name}")
    raise AssertionError  # expect raised


def headers(scene: Scene) -> Seen:
    """Return which protections the pages carry: before and after signing in, and a refusal."""
    tally = Tally()
    judge(tally, "the sign-in page", open_page(scene.anonymous(), SIGN_IN))
    judge(tally, "a conversation", open_page(scene.owner, scene.kept.path("open")))
    judge(tally, "a refusal", answered(scene.other, "GET", scene.kept.path("open"), headers={"Accept": "text/html"}))
    tally.fact(HSTS)
    return tally.seen()


def throttling(scene: Scene) -> Seen:
    """Return what guessing at one name meets; the name stays locked for up to a minute afterwards."""
    tally = Tally()
    nobody = "nobody-of-this-name"
    known, unknown = _guess(scene, WRITER), _guess(scene, nobody)
    alike = unlike(known, WRITER) == unlike(unknown, nobody)
    tally.note(
        "a name that exists beside one that does not", "the same refusal", "the same" if alike else "another", alike
    )
    answer, guesses = known, 1
    while answer.status == 401 and guesses < PATIENCE:
        answer, guesses = _guess(scene, WRITER), guesses + 1
    stopped = answer.status == 429
    tally.note(f"guess {guesses} at one name", "429 after ten", str(answer.status), stopped and guesses > 1)
    right = send(scene.anonymous(), SIGN_IN, username=WRITER, password=PASSWORD)
    tally.status("the right password while guessing is stopped", (429,), right.status)
    tally.status("a guess at another name meanwhile", (401,), _guess(scene, BYSTANDER).status)
    tally.fact(
        f"Guessing at one name was stopped at guess {guesses}." if stopped else f"{guesses} guesses were let through."
    )
    return tally.seen()


def _guess(scene: Scene, username: str) -> Answer:
    return send(scene.anonymous(), SIGN_IN, username=username, password="guess")  # noqa: S106  # a wrong one
