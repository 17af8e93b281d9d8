"""A user of server-rendered pages: forms with the token of their page, the answer by server-sent events."""

import re
from urllib.parse import urlencode, urlsplit

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, PageLoad, Visitor
from loadtests.reading import SignInError, TurnError
from loadtests.users.assets import fetch_page, text_of
from loadtests.users.rest import stream_answer
from loadtests.wire import sse
from loadtests.wire.raw_reads import RawReads

SIGN_IN = "/sign-in"
_DONE_MARK = b"event: done\n"
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([0-9A-Za-z]+)"')


class FormsPage(Page):
    """A page over one keep-alive connection, signed in by cookie; it sends the requests of the page's script."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._cookies = {"sessionid": visitor.session}
        self._token = ""
        self._conversation = ""

    def connect(self) -> None:
        """Open the list of conversations; a redirect to the sign-in form means that the session is refused."""
        page = self._call("GET", "/")
        if page.status != 200:
            raise SignInError("http", f"GET / as {self.visitor.username}: HTTP {page.status}")
        self._take_token(page, "GET /")

    def open_page(self) -> PageLoad:
        """Return the cost of the sign-in form, where the list of conversations redirects to, with its files."""
        self.close()
        self._cookies = {}
        load, form = fetch_page(self._connection, self._endpoint)
        self._keep_cookies(form)
        self._take_token(form, "the sign-in form")
        return load

    def sign_in(self, password: str) -> None:
        """Send the form and follow to the list of conversations."""
        answer = self._call("POST", SIGN_IN, {"username": self.visitor.username, "password": password})
        if answer.status != 302:
            raise SignInError("http", f"POST {SIGN_IN} as {self.visitor.username}: HTTP {answer.status}")
        self.connect()

    def new_conversation(self) -> None:
        """Press "New conversation" and follow to the page it leads to."""
        made = self._call("POST", "/c", {})
        address = urlsplit(made.header("location") or "").path.removeprefix(self._endpoint.prefix)
        if made.status != 302 or not address:
            raise TurnError("http", f"POST /c: HTTP {made.status}: {sse.problem(made.content)}")
        page = self._call("GET", address)
        if page.status != 200:
            raise TurnError("http", f"GET {address}: HTTP {page.status}: {sse.problem(page.content)}")
        self._take_token(page, f"GET {address}")
        self._conversation = address

    def new_trace(self, sent_s: float) -> RawReads:
        """Return the trace of a turn: its raw reads."""
        return RawReads(sent_s, stream_format="rest")

    def ask(self, text: str, nonce: str, trace: RawReads) -> None:
        """Send the form as the page's script does and keep the raw event stream for parsing after the trial."""
        request = self._request("POST", f"{self._conversation}/messages", "text/event-stream", {"content": text})
        stream_answer(self._connection, request, trace, nonce, _DONE_MARK)

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connection; the conversation stays."""
        super().close()
        self._connection.close()

    def _take_token(self, page: http.Response, what: str) -> None:
        match = _TOKEN.search(text_of(page).encode())
        if match is None:
            raise TurnError("application", f"{what}: the page holds no form with a token")
        self._token = match.group(1).decode()

    def _request(self, method: str, path: str, accept: str, fields: dict[str, str] | None) -> bytes:
        headers = {"Host": self._endpoint.host, "Accept": accept}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if fields is None:
            return http.request(method, self._endpoint.prefix + path, headers)
        headers["Origin"] = self._endpoint.origin
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({"csrfmiddlewaretoken": self._token, **fields}).encode()
        return http.request(method, self._endpoint.prefix + path, headers, body)

    def _call(self, method: str, path: str, fields: dict[str, str] | None = None) -> http.Response:
        response = self._connection.exchange(self._request(method, path, "text/html", fields))
        self._keep_cookies(response)
        return response

    def _keep_cookies(self, response: http.Response) -> None:
        for name, value in response.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key.strip()] = rest.partition(";")[0]
