"""A chatbot of server-rendered pages: what a browser gets and sends, without one."""

import json
import re
import urllib.parse
from dataclasses import dataclass
from http.cookies import SimpleCookie

from harness.probes.claims import Check, Probes, expect, run
from harness.probes.client import Answer, Client
from harness.probes.contract.page import Page, expect_assets, inline_scripts
from harness.probes.contract.refusals import expect_security_headers
from harness.probes.world import OTHER, OWNER, Message
from harness.records.recipe import PASSWORD, session_token

FORMS: "Probes[Site]" = Probes()
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([0-9A-Za-z]+)"')


@dataclass(frozen=True, slots=True)
class Site:
    """A chatbot at this address, and the seed of its people and its model."""

    base_url: str
    seed: int

    def seeded(self, username: str) -> Client:
        """Return a browser with a seeded user's session."""
        return Client(self.base_url, session=session_token(self.seed, username))

    def conversation(self, browser: Client) -> tuple[str, str]:
        """Begin a conversation; return its address and the token of its page."""
        made = post(browser, "/c", token_of(open_page(browser, "/")))
        expect(made.status == 302, f"POST /c answered {made.status}, not 302 to the new conversation")
        address = urllib.parse.urlsplit(made.header("Location")).path
        return address, token_of(open_page(browser, address))


def check_forms(base_url: str, *, seed: int) -> list[Check]:
    """Prove that a chatbot of server-rendered pages works; talks as the seeded users 31 and 32."""
    return run(FORMS, Site(base_url, seed))


def open_page(browser: Client, path: str) -> Answer:
    """Return a page that has to be there."""
    page = browser.request("GET", path, headers={"Accept": "text/html"})
    expect(page.status == 200 and page.media_type == "text/html", f"GET {path} answered {page.status}")
    return page


def token_of(page: Answer) -> str:
    """Return the token of a page's forms."""
    found = _TOKEN.search(page.body)
    expect(found is not None, f"{page.request}: the page holds no form with a token")
    return found.group(1).decode() if found else ""


def post(browser: Client, path: str, token: str | None, accept: str = "text/html", **fields: str) -> Answer:
    """Send a form, without the token where that is None."""
    body = urllib.parse.urlencode({**({} if token is None else {"csrfmiddlewaretoken": token}), **fields})
    return browser.request("POST", path, body.encode(), csrf=False, headers={**FORM_TYPE, "Accept": accept})


@FORMS.proves("page", "the sign-in page and every file it refers to load from this server; nothing inline runs")
def _assets(site: Site) -> None:
    page = Page(site.base_url)
    front = open_page(Client(site.base_url), "/sign-in")
    expect_assets(page, front)
    expect(inline_scripts(front) == 0, "the page has inline scripts, which its policy forbids")
    expect_security_headers(front)


@FORMS.proves("page", "/health says ok")
def _health(site: Site) -> None:
    answer = Client(site.base_url).request("GET", "/health")
    expect(answer.status == 200 and answer.body.strip() == b"ok", f"it answered {answer.status} {answer.body[:40]!r}")


@FORMS.proves("page", "a stranger is sent to the sign-in form, and a form of his is answered with 401")
def _stranger(site: Site) -> None:
    stranger = Client(site.base_url)
    sent = stranger.request("GET", "/")
    expect(sent.status == 302 and "/sign-in" in sent.header("Location"), f"GET / answered {sent.status}")
    token = token_of(open_page(stranger, "/sign-in"))
    answer = post(stranger, "/c", token)
    expect(answer.status == 401, f"POST /c answered {answer.status}, not 401")


@FORMS.proves("sign-in", "the form signs in with name and password, its cookie is HttpOnly and SameSite=Lax")
def _sign_in(site: Site) -> None:
    browser = Client(site.base_url)
    answer = post(browser, "/sign-in", token_of(open_page(browser, "/sign-in")), username=OWNER, password=PASSWORD)
    expect(answer.status == 302, f"the right password was answered with {answer.status}, not 302")
    lines = answer.headers.get_all("Set-Cookie") or []
    cookie = next(
        (morsel for line in lines for name, morsel in SimpleCookie(line).items() if name == "sessionid"), None
    )
    expect(cookie is not None, "no cookie sessionid was set")
    if cookie is not None:
        expect(bool(cookie["httponly"]), "the session cookie is not HttpOnly")
        expect(cookie["samesite"].lower() == "lax", f"SameSite of the session cookie is {cookie['samesite']!r}")
    expect(OWNER.encode() in open_page(browser, "/").body, "the page does not say who is signed in")


@FORMS.proves("sign-in", "a wrong password stays at the form, with an alert and without a session")
def _wrong_password(site: Site) -> None:
    browser = Client(site.base_url)
    token = token_of(open_page(browser, "/sign-in"))
    answer = post(browser, "/sign-in", token, username=OWNER, password=PASSWORD[::-1])
    expect(answer.status == 401, f"a wrong password was answered with {answer.status}, not 401")
    expect(b'role="alert"' in answer.body, "the form shows no alert")
    expect("sessionid" not in browser.cookies, "a session was opened")


@FORMS.proves("csrf", "a form without its token, or with another one, is refused with 403, signing in included")
def _csrf(site: Site) -> None:
    browser = site.seeded(OWNER)
    address, _ = site.conversation(browser)
    for path in ("/sign-in", "/c", f"{address}/messages", f"{address}/rename", f"{address}/delete"):
        for token in (None, "A" * 64):
            answer = post(browser, path, token, content="hello", title="x", username=OWNER, password=PASSWORD)
            expect(answer.status == 403, f"POST {path} with the token {token!r} was answered with {answer.status}")
    open_page(browser, address)


@FORMS.proves(
    "chat", "a message is answered by a stream: its tokens are the whole answer, the page holds it afterwards"
)
def _message(site: Site) -> None:
    browser = site.seeded(OWNER)
    address, token = site.conversation(browser)
    message = Message(site.seed, tokens=6, ttft_s=0, itl_s=0.01)
    answer = post(browser, f"{address}/messages", token, "text/event-stream", content=message.content)
    expect(answer.status == 200, f"it answered {answer.status}: {answer.body[:80]!r}")
    expect(answer.media_type == "text/event-stream", f"the stream came as {answer.media_type!r}")
    expect_security_headers(answer)
    blocks = [block.split("\n") for block in answer.body.decode().split("\n\n") if block]
    events = [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]
    names = [name for name, _ in events]
    expect(names[:1] == ["message"] and names[-1:] == ["done"], f"the events are {names}")
    texts = [data["text"] for name, data in events if name == "token"]
    expect(len(texts) > 1, f"the answer came in {len(texts)} token(s): it is not streamed")
    message.expect_answer("".join(texts))
    page = open_page(browser, address)
    expect(message.nonce.encode() in page.body, "the page of the conversation does not hold the answer")


@FORMS.proves("chat", "the same form sent without a script leads to the page with the whole answer")
def _without_script(site: Site) -> None:
    browser = site.seeded(OWNER)
    address, token = site.conversation(browser)
    message = Message(site.seed, tokens=4, ttft_s=0, itl_s=0)
    answer = post(browser, f"{address}/messages", token, content=message.content)
    expect(answer.status == 302, f"it answered {answer.status}, not 302 to the conversation")
    page = open_page(browser, urllib.parse.urlsplit(answer.header("Location")).path)
    expect(message.nonce.encode() in page.body, "the page it leads to does not hold the answer")


@FORMS.proves("access", "somebody else's conversation is 404: its page, its messages, its export, changes of it")
def _other_people(site: Site) -> None:
    address, _ = site.conversation(site.seeded(OWNER))
    other = site.seeded(OTHER)
    token = token_of(open_page(other, "/"))
    for path in (address, f"{address}/export?format=json"):
        answer = other.request("GET", path)
        expect(answer.status == 404, f"GET {path} was answered with {answer.status}, not 404")
    for path in (f"{address}/messages", f"{address}/rename", f"{address}/delete"):
        answer = post(other, path, token, content="hello", title="mine now")
        expect(answer.status == 404, f"POST {path} was answered with {answer.status}, not 404")


@FORMS.proves("access", "the list of users is refused to everybody but admins with 403")
def _users(site: Site) -> None:
    for name, status in ((OWNER, 403), ("moderator", 403), ("admin", 200)):
        answer = site.seeded(name).request("GET", "/users")
        expect(answer.status == status, f"{name} was answered with {answer.status}, not {status}")


@FORMS.proves("export", "one's own conversation comes as JSON and as Markdown, as files to keep")
def _export(site: Site) -> None:
    browser = site.seeded(OWNER)
    address, _ = site.conversation(browser)
    for form, media_type in (("json", "application/json"), ("markdown", "text/markdown")):
        answer = browser.request("GET", f"{address}/export?format={form}")
        expect(answer.status == 200 and answer.media_type == media_type, f"{form}: {answer.status} {answer.media_type}")
        expect("attachment" in answer.header("Content-Disposition"), f"{form} does not come as a file")
