"""The actors of the probes of forms: seeded users, a conversation to keep from others, its addresses."""

import html
import http.client
import json
import re
import secrets
import urllib.parse
from functools import cached_property
from typing import Any

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.contract.forms import FORM_TYPE, Site, open_page, token_of
from harness.probes.world import Message
from harness.records.recipe import PASSWORD

OWNER, OTHER, LEAVER, FORGETTER, WRITER = "user0041", "user0042", "user0043", "user0044", "user0045"
BEGINNER = "user0046"  # a person may send 60 messages a minute, two places take about 30 texts each
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
SIGN_IN = "/sign-in"

#: operation -> method and path; {id} is the conversation, {answer} its answer, {user} a user
OPERATIONS = {
    "sign in": ("POST", SIGN_IN),
    "list": ("GET", "/"),
    "begin": ("POST", "/c"),
    "begin by a message": ("POST", "/messages"),
    "open": ("GET", "/c/{id}"),
    "export": ("GET", "/c/{id}/export?format=json"),
    "rename": ("POST", "/c/{id}/rename"),
    "send": ("POST", "/c/{id}/messages"),
    "rate": ("POST", "/messages/{answer}/feedback"),
    "hide": ("POST", "/messages/{answer}/hide"),
    "list users": ("GET", "/users"),
    "change user": ("POST", "/users/{user}"),
    "delete": ("POST", "/c/{id}/delete"),
    "sign out": ("POST", "/sign-out"),
    "health": ("GET", "/health"),
}
_ANSWER = re.compile(rb"/messages/([0-9a-f-]{36})/(?:feedback|hide)")
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


class Scene:
    """A running target and the people of the audit."""

    def __init__(self, base_url: str, *, seed: int) -> None:
        self.base_url, self.seed = base_url, seed
        self.site = Site(base_url, seed)
        self.secret = f"kept-{secrets.token_hex(6)}"  # in title and message of what only the owner may see
        self.owner, self.other, self.writer, self.moderator, self.admin = (
            self.site.seeded(name) for name in (OWNER, OTHER, WRITER, "moderator", "admin")
        )

    def anonymous(self) -> Client:
        """Return a client without a session."""
        return Client(self.base_url)

    def signed_in(self, username: str, session: str | None = None) -> tuple[Client, Answer]:
        """Sign in by the form; raises RefutedError where that is refused."""
        browser = Client(self.base_url, session=session)
        answer = send(browser, SIGN_IN, username=username, password=PASSWORD)
        expect(answer.status == 302, f"the right password of {username} was answered with {answer.status}, not 302")
        return browser, answer

    def message(self, text: str) -> str:
        """Return a message that the model answers at once."""
        return Message(self.seed, text, tokens=2, ttft_s=0, itl_s=0).content

    @cached_property
    def kept(self) -> "Kept":
        """A conversation of the owner's with one answer."""
        return self.keep(self.owner)

    def keep(self, browser: Client) -> "Kept":
        """Make a conversation with one exchange in it, marked with the secret."""
        made = send(browser, "/messages", content=self.message(f"My number is {self.secret}."))
        expect(made.status == 302, f"POST /messages answered {made.status}, not 302 to the conversation")
        address = urllib.parse.urlsplit(made.header("Location")).path
        found = _ANSWER.findall(open_page(browser, address).body)
        expect(bool(found), f"GET {address}: the page has no answer with buttons of its own")
        return Kept(browser, address.rpartition("/")[2], found[-1].decode())

    def user(self, username: str) -> tuple[str, str, str]:
        """Return a user's number, role, and the button for the account, as the admin's page shows them."""
        page = open_page(self.admin, f"/users?name={username}").body.decode()
        rows = [row for row in page.split("<tr") if f'aria-label="Role of {username}"' in row]
        expect(len(rows) == 1, f"the admin's search for {username!r} finds it {len(rows)} times")
        number = re.search(r'action="/users/(\d+)"', rows[0])
        role = re.search(r"<option selected>([a-z]+)<", rows[0])
        button = re.search(r'aria-label="(Deactivate|Activate) ', rows[0])
        expect(None not in (number, role, button), f"the row of {username} on the admin's page is not understood")
        return tuple(one.group(1) if one else "" for one in (number, role, button))  # type: ignore[return-value]

    def fields(self, operation: str) -> dict[str, str]:
        """Return valid fields for an operation, harmless where somebody may do it."""
        fields = {
            "sign in": {"username": OWNER, "password": PASSWORD},
            "rename": {"title": "Renamed by the audit"},
            "rate": {"feedback": "up"},
            "hide": {"hidden": "false"},
            "change user": {"role": "user"},
        }
        if operation in ("send", "begin by a message"):
            return {"content": self.message("Not for others")}
        return fields.get(operation, {})

    def try_one(self, browser: Client, operation: str, path: str) -> Answer:
        """Do an operation as a browser does it: the page asked for, or the form sent with its token."""
        if OPERATIONS[operation][0] == "GET":
            return answered(browser, "GET", path)
        return send(browser, path, **self.fields(operation))


class Kept:
    """A conversation, its answer, and how to tell that nobody changed it."""

    def __init__(self, browser: Client, conversation_id: str, answer_id: str) -> None:
        self._browser, self.conversation_id, self.answer_id = browser, conversation_id, answer_id

    def path(self, operation: str, user: str = "0") -> str:
        """Return the path of an operation on it (or on a user)."""
        path = OPERATIONS[operation][1]
        return path.replace("{id}", self.conversation_id).replace("{answer}", self.answer_id).replace("{user}", user)

    def document(self) -> dict[str, Any]:
        """Return its export; raises RefutedError where there is none."""
        answer = self._browser.request("GET", self.path("export"))
        expect(answer.status == 200, f"the owner's export answered {answer.status}")
        return dict(json.loads(answer.body))

    def state(self) -> tuple[object, ...]:
        """Return all that its owner sees of it but the time of its last change; the status where it cannot be seen."""
        answer = answered(self._browser, "GET", self.path("export"))
        if answer.status != 200:
            return (answer.status,)
        document = json.loads(answer.body)
        return document["title"], document["messages"]


def answered(browser: Client, method: str, path: str, body: object = None, **how: Any) -> Answer:
    """Send a request; a connection that is lost on the way is an answer with status 0."""
    try:
        return browser.request(method, path, body, **how)
    except (OSError, http.client.HTTPException):
        return Answer(request=f"{method} {path}", status=0, headers=http.client.HTTPMessage(), body=b"")


def send(browser: Client, path: str, **fields: str) -> Answer:
    """Send a form with the token of a page that this browser is shown."""
    return forge(browser, path, {"csrfmiddlewaretoken": token(browser), **fields})


def forge(browser: Client, path: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> Answer:
    """Send exactly these fields."""
    body = urllib.parse.urlencode(fields).encode()
    return answered(
        browser, "POST", path, body, csrf=False, headers={**FORM_TYPE, "Accept": "text/html"} | (headers or {})
    )


def token(browser: Client) -> str:
    """Return the token of the forms on the first page this browser is shown."""
    page = answered(browser, "GET", "/", headers={"Accept": "text/html"})
    return token_of(page if page.status == 200 else open_page(browser, SIGN_IN))


def outcome(answer: Answer) -> str:
    """Say in a word what came of a request: ``shown``, ``done``, ``sign in first``, or the status."""
    if answer.status == 401 or (answer.status == 302 and answer.header("Location").startswith(SIGN_IN)):
        return "sign in first"
    names = {200: "shown", 302: "done", 0: "connection lost"}
    return names.get(answer.status, str(answer.status))


def unlike(answer: Answer, *own: str) -> tuple[int, str]:
    """Return an answer without what differs from one request to the next: tokens, and these texts."""
    text = html.unescape(_TOKEN.sub(b"", answer.body).decode(errors="replace"))
    for one in own:
        text = text.replace(one, "")
    return answer.status, text
