"""The session cookie: what protects it, whether signing in changes it, whether signing out ends it."""

import secrets
from http.cookies import Morsel, SimpleCookie

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import FORGETTER, Scene
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

SESSION, CSRF = "sessionid", "csrftoken"
#: 128 bits, in the four bits a hexadecimal digit carries: the least an unguessable token may have
SHORTEST = 32


def flags(scene: Scene) -> Seen:
    """Return how the cookies are protected on plain http, where Secure would keep the browser from sending them."""
    tally = Tally()
    planted = secrets.token_hex(16)
    client = Client(scene.base_url, session=planted)
    client.request("GET", "/api/auth/me")
    old_csrf = client.cookies.get(CSRF, "")
    answer = client.request("POST", "/api/auth/login", {"username": FORGETTER, "password": PASSWORD})
    answer.json()
    session = _cookie(answer, SESSION)
    tally.note("session cookie: HttpOnly", "set", _said(session["httponly"]), bool(session["httponly"]))
    _same_site(tally, SESSION, session)
    tally.note("session cookie: Domain", "none", session["domain"] or "none", not session["domain"])
    length = len(session.value)
    tally.note("session cookie: length", f"{SHORTEST} or more", str(length), length >= SHORTEST)
    _same_site(tally, CSRF, _cookie(answer, CSRF))
    changed = session.value != planted
    tally.note("a session id planted before signing in", "replaced", "replaced" if changed else "kept", changed)
    planted_status = Client(scene.base_url, session=planted).request("GET", "/api/auth/me").status
    tally.status("the planted session id afterwards", (401,), planted_status)
    fresh = client.cookies.get(CSRF, "") != old_csrf
    tally.note("the CSRF token when signing in", "changed", "changed" if fresh else "kept", fresh)
    _leaving(scene, tally, client)
    tally.fact("Secure was not asked for: the target is reached by plain http here; a deployment sets it with TLS.")
    return tally.seen()


def _leaving(scene: Scene, tally: Tally, client: Client) -> None:
    session = client.cookies[SESSION]
    status = client.request("POST", "/api/auth/logout").status
    expect(status in (200, 204), f"signing out answered {status}")
    tally.status(
        "the session after signing out",
        (401,),
        Client(scene.base_url, session=session).request("GET", "/api/auth/me").status,
    )


def _same_site(tally: Tally, name: str, cookie: "Morsel[str]") -> None:
    seen = cookie["samesite"] or "absent"
    tally.note(f"{name}: SameSite", "Lax or Strict", seen, seen.lower() in ("lax", "strict"))


def _said(flag: object) -> str:
    return "set" if flag else "absent"


def _cookie(answer: Answer, name: str) -> "Morsel[str]":
    """Return a cookie that an answer sets; raises RefutedError where it sets none of this name."""
    for line in answer.headers.get_all("Set-Cookie") or []:
        for key, morsel in SimpleCookie(line).items():
            if key == name:
                return morsel
    expect(False, f"{answer.request} set no cookie {name}")
    raise AssertionError  # expect raised
