"""CSRF: unsafe requests as a foreign page could have a signed-in browser send them."""

import json
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.contract.access import UNSAFE
from harness.probes.probe import NothingToTryError, Seen
from harness.probes.security.rest.scene import FORGETTER, LEAVER, OWNER, Kept, Scene, answered
from harness.probes.security.tally import Tally
from harness.probes.world import OPERATIONS

FOREIGN = "https://attacker.example"
ADMINS = ("hideMessage", "updateUser")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to forge a request: its headers, the form of its body, the browser's own token or none."""

    name: str
    headers: dict[str, str]
    encode: Callable[[object], bytes]
    token: bool = False


def _json(body: object) -> bytes:
    return json.dumps({} if body is None else body).encode()


def _form(_: object) -> bytes:
    return b"title=forged&content=forged&role=admin&hidden=true&value=up"


WAYS = (
    Way("no token", {}, _json),
    Way("a wrong token", {"X-CSRFToken": "x" * 32}, _json),
    Way(
        "no token, from a foreign origin",
        {"Origin": FOREIGN, "Referer": f"{FOREIGN}/", "Sec-Fetch-Site": "cross-site"},
        _json,
    ),
    # what a page may send to another origin without asking it first (no preflight, Fetch standard)
    Way("JSON as text/plain", {"Content-Type": "text/plain", "Origin": FOREIGN}, _json),
    Way("a form", {"Content-Type": "application/x-www-form-urlencoded", "Origin": FOREIGN}, _form),
    Way("its valid token, from a foreign origin", {"Origin": FOREIGN, "Referer": f"{FOREIGN}/"}, _json, token=True),
)


def _ways(scene: Scene) -> tuple[Way, ...]:
    """Return all ways; cookies take no notice of ports, so that a page at another one may read the token."""
    url = urllib.parse.urlsplit(scene.base_url)
    beside = f"http://{url.hostname}:{(url.port or 80) + 1}"
    headers = {"Origin": beside, "Referer": f"{beside}/", "Sec-Fetch-Site": "same-site"}
    return (*WAYS, Way("its valid token, from another port of the same host", headers, _json, token=True))


def requests(scene: Scene) -> Seen:
    """Return whether forged requests are refused and change nothing, while the same with its token works."""
    tally = Tally()
    kept = scene.kept
    subject = scene.user(LEAVER)
    before = _state(scene, kept)
    leaver = scene.signed_in(FORGETTER)
    for operation in (*(one for one in UNSAFE if one != "logout"), "logout"):
        client = scene.admin if operation in ADMINS else leaver if operation == "logout" else scene.owner
        client.request("GET", "/api/auth/me")
        expect("csrftoken" in client.cookies, "the browser got no CSRF cookie, so that there is nothing to leave out")
        for way in _ways(scene):
            answer = _forged(scene, client, operation, kept.path(operation, subject["id"]), way)
            tally.status(f"{operation} with {way.name}", (403, 415), answer.status)
    _sign_in(scene, tally)
    _by_reading(scene, tally, kept)
    _reading_across(scene, tally)
    after = _state(scene, kept)
    tally.same("what was asked for afterwards", before, after)
    works = answered(scene.owner, "PATCH", kept.path("renameConversation"), {"title": "Renamed"})
    tally.status("the same with its token", (200,), works.status, control=True)
    return tally.seen()


def _state(scene: Scene, kept: Kept) -> tuple[object, ...]:
    return (*kept.state(), scene.user(LEAVER))


def _forged(scene: Scene, client: Client, operation: str, path: str, way: Way) -> Answer:
    body = {"role": "admin"} if operation == "updateUser" else {"hidden": True} if operation == "hideMessage" else None
    content = way.encode(body or scene.body(operation))
    return answered(client, OPERATIONS[operation][0], path, content, csrf=False, headers=_headers(way, client))


def _headers(way: Way, client: Client) -> dict[str, str]:
    return way.headers | ({"X-CSRFToken": client.cookies.get("csrftoken", "")} if way.token else {})


def _sign_in(scene: Scene, tally: Tally) -> None:
    """Signing a visitor in as somebody else is an attack too: what the visitor then writes is read by the attacker."""
    visitor = scene.anonymous()
    visitor.request("GET", "/api/auth/me")
    for way in _ways(scene):
        content = way.encode(scene.body("login"))
        answer = answered(visitor, "POST", "/api/auth/login", content, csrf=False, headers=_headers(way, visitor))
        tally.status(f"login with {way.name}", (403, 415), answer.status)


def _by_reading(scene: Scene, tally: Tally, kept: Kept) -> None:
    """A picture's address is fetched without a token: no GET may act."""
    for name, path, client, method in (
        ("logout", "/api/auth/logout", scene.owner, "POST"),
        ("conversation", f"{kept.path('getConversation')}?_method=DELETE", scene.owner, "DELETE"),
        ("hide", f"{kept.path('hideMessage')}?hidden=true", scene.moderator, "POST"),  # who may do it
    ):
        answer = answered(client, "GET", path, headers={"X-HTTP-Method-Override": method})
        tally.status(f"GET {name} instead of its own method", (200, 400, 403, 404, 405), answer.status)
    still = answered(scene.world.seeded(OWNER), "GET", kept.path("getConversation"))
    tally.status("the owner still signed in and the conversation there", (200,), still.status, control=True)


def _reading_across(scene: Scene, tally: Tally) -> None:
    """A foreign page must not be let in by CORS headers (nobody in the contract is)."""
    for method in ("GET", "OPTIONS"):
        for origin in (FOREIGN, "null"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
            answer = answered(scene.owner, method, "/api/auth/me", headers=headers)
            allowed = answer.header("Access-Control-Allow-Origin")
            tally.note(
                f"{method} for a page of {origin}",
                "not allowed to read",
                allowed or "not allowed",
                not allowed,
                control=True,
            )


def no_socket(_: Scene) -> Seen:
    """Say why there is nothing to try."""
    raise NothingToTryError(
        "no WebSocket in the contract: answers stream over HTTP, held to the rules on forged requests"
    )
