"""The surface of a Streamlit server: answers without a session, origins of its WebSocket, storage of the sign-in."""

import re
import secrets
import urllib.parse
from http.cookies import Morsel, SimpleCookie

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.contract.page import origin_of, upgrade_status
from harness.probes.probe import Seen, Try
from harness.probes.security.header_policy import HSTS, judge
from harness.probes.security.rest.anonymous import PATHS, TELLTALE
from harness.probes.security.streamlit.roles import DONE, NO, OPERATIONS
from harness.probes.security.streamlit.scene import FORGETTER, FORGOT, GUESSED, OTHER, Stage
from harness.probes.security.streamlit.wire import Session
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

FOREIGN = "https://attacker.example"
#: a file as a form sends it; whatever else is sent is refused for its form
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nforged\r\n--x--\r\n'
FILE_TYPE = {"Content-Type": "multipart/form-data; boundary=x"}
METRICS = "/_stcore/metrics"  # to be closed in front of Streamlit, which has no option for it
#: Streamlit's own addresses beside the page
OWN_PATHS = ("/_stcore/script-health-check", "/media/unknown.json", "/component/unknown/index.html")
ALLOWED = 10  # failed sign-ins a minute, by contract
PATIENCE = 2 * ALLOWED + 2
SHORTEST = 32  # hexadecimal digits: 128 bits
#: where the sign-in code stands in what the page is told: in JSON, or in an inline frame's markup
CODE = re.compile(rb'code\\?"?\s*[:=]\s*\\?"([0-9a-f]{32})')


def anonymous(stage: Stage) -> Seen:
    """Return the answers without a session: the page's operations, by crafted messages, and other paths."""
    tally, kept = Tally(), stage.keep()
    before = kept.state()
    for cookie, how in ((None, "without a session"), ("0" * 32, "with a made-up session")):
        for operation, trying in OPERATIONS.items():
            with stage.open(cookie=cookie, query=kept.query) as page:
                done = trying(stage, page, kept, "nobody")
                tally.note(f"{operation} {how}", NO, DONE if done else NO, not done)
        with stage.open(cookie=cookie, query=kept.query) as page:
            told = page.shows(stage.secret) or not page.has("button", "Sign in")
            tally.note(
                f"the page {how}", "the sign-in form alone", "more" if told else "the sign-in form alone", not told
            )
    tally.same("what was asked for afterwards", before, kept.state())
    _paths(stage, tally)
    tally.fact("The WebSocket itself opens for everyone: the page signs in through it.")
    return tally.seen()


def _paths(stage: Stage, tally: Tally) -> None:
    client = Client(stage.base_url)
    page = client.request("GET", "/").body
    for path in (*OWN_PATHS, *PATHS):
        answer = client.request("GET", path)
        shown = next((word.decode() for word in TELLTALE if word in answer.body), None)
        harmless = (answer.status == 200 and answer.body == page) or answer.status in (301, 307, 308)
        refused = 400 <= answer.status < 500
        seen = (
            f"{answer.status} with {shown!r} in it"
            if shown
            else str(answer.status) + (", the page, or the way to it" if harmless else "")
        )
        tally.note(f"GET {path}", "refused, or the page", seen, shown is None and (harmless or refused))
    metrics = client.request("GET", METRICS)
    if metrics.status == 200 and b"# HELP" in metrics.body:
        tally.fact(
            f"Not held against the build: {METRICS} is open to everybody (200) unless a proxy in front closes it; "
            "it holds counts, no texts."
        )


def forgery(stage: Stage) -> Seen:
    """Return whether foreign pages can sign visitors in or out; everything else goes through the WebSocket."""
    tally = Tally()
    client = Client(stage.base_url)
    code = {"X-Sign-In-Code": "0" * 32}
    ways: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("POST", "without a code", {}),
        ("POST", "with a made-up code", code),
        ("POST", "from a foreign origin", {"Origin": FOREIGN} | code),
        ("POST", "from the origin null", {"Origin": "null"} | code),
        ("POST", "as text/plain", {"Origin": FOREIGN, "Content-Type": "text/plain"}),
        ("DELETE", "from a foreign origin", {"Origin": FOREIGN}),
        ("DELETE", "from the origin null", {"Origin": "null"}),
    )
    for method, how, headers in ways:
        answer = client.request(method, "/session", b"", csrf=False, headers=headers)
        tally.status(f"{method} /session {how}", (403, 405), answer.status)
    with stage.open() as page:  # of no session that is there everything would be refused
        upload = f"/_stcore/upload_file/{page.session_id}/y"
        for method in ("PUT", "POST", "DELETE"):
            answer = client.request(method, upload, FILE, csrf=False, headers={"Origin": FOREIGN} | FILE_TYPE)
            tally.status(f"{method} of an upload without its token", (400, 403, 404, 405), answer.status)
    answer = client.request("GET", "/_stcore/host-config", headers={"Origin": FOREIGN})
    allowed = answer.header("Access-Control-Allow-Origin")
    tally.note("reading for a foreign page (CORS)", "not allowed", allowed or "not allowed", not allowed, control=True)
    with stage.open() as page:
        stage.sign_in(page, OTHER)
        answer = client.request("POST", "/session", b"", csrf=False, headers={"X-Sign-In-Code": _code(page)})
        tally.status("the page's own request with its code", (200, 204), answer.status, control=True)
    tally.fact("All other operations go through the WebSocket, whose origins are a line of their own.")
    return tally.seen()


def websocket(stage: Stage) -> Seen:
    """Return from which origins a browser may open the WebSocket."""
    tally = Tally()
    url = urllib.parse.urlsplit(stage.base_url)
    own = upgrade_status(stage.base_url, origin_of(stage.base_url))
    tally.note("the page's own origin", "101", str(own), own == 101, control=True)
    other_port = (url.port or 80) + 1
    for origin in (
        FOREIGN,
        "null",
        f"http://{url.hostname}.attacker.example:{url.port}",
        f"http://attacker.example:{url.port}",
        f"http://localhost:{other_port}",
        f"http://127.0.0.1:{other_port}",
    ):
        status = upgrade_status(stage.base_url, origin)
        tally.note(f"origin {origin}", "refused", str(status), status >= 400)
    if any("localhost" in one.line and not one.passed for one in tally.tries):
        tally.fact(
            "Streamlit counts every port of localhost as its own; that matters where the browser runs on the server's "
            "machine. SameSite cookies do not help there: they take no notice of ports."
        )
    tally.fact("Without an Origin, as programs connect, it opens; browsers always send one.")
    return tally.seen(brief=_let_in([one for one in tally.tries if not (one.passed or one.control)]))


def _let_in(opened: list[Try]) -> str:
    """Say which foreign origins were let in, in a few words."""
    near = [one for one in opened if any(f"origin http://{name}:" in one.line for name in ("localhost", "127.0.0.1"))]
    if not opened:
        return ""
    return "open to other ports of localhost, refused for other hosts" if near == opened else "open to other hosts"


def cookies(stage: Stage) -> Seen:
    """Return how the session's cookie is protected on plain http, and whether signing out ends it."""
    tally = Tally()
    planted = secrets.token_hex(16)
    with stage.open(cookie=planted) as page:
        stage.sign_in(page, FORGETTER)
        headers = {"X-Sign-In-Code": _code(page), "Cookie": f"chat_session={planted}"}
        answer = Client(stage.base_url).request("POST", "/session", b"", csrf=False, headers=headers)
        cookie = _cookie(answer)
        tally.note(
            "session cookie: HttpOnly", "set", "set" if cookie["httponly"] else "absent", bool(cookie["httponly"])
        )
        same_site = cookie["samesite"] or "absent"
        tally.note("session cookie: SameSite", "Lax or Strict", same_site, same_site.lower() in ("lax", "strict"))
        tally.note("session cookie: Domain", "none", cookie["domain"] or "none", not cookie["domain"])
        tally.note(
            "session cookie: length", f"{SHORTEST} or more", str(len(cookie.value)), len(cookie.value) >= SHORTEST
        )
        again = Client(stage.base_url).request("POST", "/session", b"", csrf=False, headers=headers)
        tally.status("the sign-in code a second time", (403,), again.status)
        changed = cookie.value != planted and not _signed_in(stage, planted)
        tally.note("a session id planted before signing in", "replaced", "replaced" if changed else "kept", changed)
        expect(_signed_in(stage, cookie.value), "the cookie just set signs nobody in")
        page.click(page.find("button", "Sign out"))
    dead = not _signed_in(stage, cookie.value)
    tally.note("the session after signing out", "ended", "ended" if dead else "still signed in", dead)
    tally.fact("Secure was not asked for: the target is reached by plain http here; the app sets it under https.")
    return tally.seen()


def headers(stage: Stage) -> Seen:
    """Return which protections the page carries."""
    tally = Tally()
    judge(tally, "the page", Client(stage.base_url).request("GET", "/", headers={"Accept": "text/html"}))
    tally.fact(HSTS)
    tally.fact("Streamlit itself sends none of these headers; the app or a proxy adds what is there.")
    return tally.seen()


def throttling(stage: Stage) -> Seen:
    """Return what guessing at one name meets."""
    tally = Tally()
    known, unknown = _guess(stage, GUESSED), _guess(stage, "nobody-of-this-name")
    alike = known == unknown
    tally.note(
        "a name that exists beside one that does not", "the same refusal", "the same" if alike else "another", alike
    )
    said, guesses = known, 1
    while said == known and guesses < PATIENCE:
        said, guesses = _guess(stage, GUESSED), guesses + 1
    stopped = said not in (known, "")
    tally.note(f"guess {guesses} at one name", "stopped after ten", said or "signed in", stopped)
    right = _guess(stage, GUESSED, PASSWORD)
    tally.note(
        "the right password while guessing is stopped", "stopped", right or "signed in", right == said and stopped
    )
    other = _guess(stage, FORGOT)
    tally.note("a guess at another name meanwhile", "refused as before", other or "signed in", other == known)
    tally.fact(f"Guessing was stopped at guess {guesses}." if stopped else f"{guesses} guesses were let through.")
    return tally.seen()


def _guess(stage: Stage, username: str, password: str = "guess") -> str:  # noqa: S107  # wrong on purpose
    """Return what the sign-in form said, "" where it let the person in."""
    with stage.open() as page:
        stage.sign_in(page, username, password)
        if page.has("button", "Sign out"):
            return ""
        return page.find("alert").label


def _signed_in(stage: Stage, cookie: str) -> bool:
    with stage.open(cookie=cookie) as page:
        return page.has("button", "Sign out")


def _code(page: Session) -> str:
    """Return the code that the page was told to trade for the cookie; raises RefutedError where there is none."""
    found = CODE.findall(page.raw)
    expect(bool(found), "the page was told no sign-in code")
    return str(found[-1].decode())


def _cookie(answer: Answer) -> "Morsel[str]":
    for line in answer.headers.get_all("Set-Cookie") or []:
        for name, morsel in SimpleCookie(line).items():
            if name == "chat_session":
                return morsel
    expect(False, f"{answer.request} answered {answer.status} and set no cookie")
    raise AssertionError  # expect raised
