"""A user of a Streamlit page: its WebSocket, its widgets, its reruns; no browser."""

import re
import socket
import time

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, PageLoad, Visitor, sleep_until
from loadtests.reading import GrowingText, SignInError, TurnError
from loadtests.users.assets import fetch_page
from loadtests.users.streamlit_session import Session
from loadtests.users.streamlit_wire import Protocol, load
from loadtests.wire.websocket import BINARY, CLOSE, PING, PONG, FrameReader, accept_of, client_frame, new_key

NEW_CONVERSATION = "New conversation"
SIGN_IN, USERNAME, PASSWORD = "Sign in", "Username", "Password"  # labels of the form
#: what a browser says of itself and its place with every run
_BROWSER = {"timezone": "UTC", "timezone_offset": 0, "locale": "en-US", "is_embedded": False, "color_scheme": "light"}
_READ_BYTES = 65536
_NO_XSRF_TOKEN = "PLACEHOLDER_AUTH_TOKEN"  # noqa: S105  # what the page sends where the server set no cookie
_XSRF_COOKIE = re.compile(r"_streamlit_xsrf=([^;]+)")
_RETRY_S = 1.0


class StreamlitPage(Page):
    """A page over one WebSocket, signed in by the cookie of the handshake."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._frames = FrameReader()
        self._session = self._new_session(load(visitor.streamlit_site))
        self.xsrf_token = ""  # as the server's cookie has it
        self._signed_in_before = True  # its session was made beforehand

    def connect(self) -> None:
        """Get health and host configuration as the page does, open the WebSocket, run the script once."""
        self._first_run()
        if self._session.chat_input is None:
            raise SignInError("application", f"no chat input on the page of {self.visitor.username}: not signed in")

    def open_page(self) -> PageLoad:
        """Return the cost of index.html and its files, fetched without a cookie."""
        self.close()
        self._session = self._new_session(self._session.protocol)
        self._signed_in_before, self.xsrf_token = False, ""
        return fetch_page(self._connection, self._endpoint)[0]

    def sign_in(self, password: str) -> None:
        """Open the WebSocket, fill in the form, press its button: from then on this session is signed in."""
        self._first_run()
        session, button = self._session, self._session.buttons.get(SIGN_IN)
        inputs = [session.inputs.get(label) for label in (USERNAME, PASSWORD)]
        if button is None or None in inputs:
            raise SignInError("application", "no sign-in form on the page")
        for widget_id, text in zip(inputs, (self.visitor.username, password), strict=True):
            session.values[str(widget_id)].state.string_value = text
        session.expect(None)
        self._send(session.frame(session.protocol.click(button.id), button.fragment_id))
        self._run(None)
        if session.chat_input is None:
            raise SignInError("application", session.notice or "no chat input on the page: not signed in")

    def new_conversation(self) -> None:
        """Click "New conversation" and wait until the page is drawn.

        After signing in, a page keeps its cookie for later visits first. No user waits for that, so no sign-in is
        measured with it.
        """
        self._keep_cookie()
        button = self._session.buttons.get(NEW_CONVERSATION)
        if button is None:
            raise TurnError("application", f"no button {NEW_CONVERSATION!r} on the page")
        self._session.expect(None)
        self._send(self._session.frame(self._session.protocol.click(button.id), button.fragment_id))
        self._run(None)

    def ask(self, text: str, nonce: str, trace: GrowingText) -> None:
        """Type into the chat input; the turn is over when the script that wrote the answer has finished."""
        chat_input = self._session.chat_input
        if chat_input is None:
            raise TurnError("application", "no chat input on the page")
        self._session.expect(nonce)
        trigger = self._session.protocol.chat_message(chat_input.id, text)
        self._send(self._session.frame(trigger, chat_input.fragment_id))
        self._run(trace)
        trace.ready_s = time.monotonic()
        if self._session.stranger:
            raise TurnError("foreign_nonce", f"an answer that starts with {self._session.stranger} is on this page")
        if not trace.text:
            raise TurnError("application", self._session.notice or "the script finished without an answer")

    def idle(self, until_s: float) -> bool:
        """Return whether the page was connecting at ``until_s``; until then answer pings and reconnect."""
        while (left_s := until_s - time.monotonic()) > 0:
            if not self.connected:
                sleep_until(min(until_s, time.monotonic() + _RETRY_S))
                if self._try_again(until_s):
                    return True
                continue
            try:
                self._receive(None, left_s)
            except TimeoutError:
                continue
            except (OSError, TurnError):
                self.close()
        return False

    def abort(self) -> None:
        """Cut the connection."""
        self._connection.abort()

    def close(self) -> None:
        """Close the WebSocket; the server keeps the session for a while, and ``connect`` asks for it."""
        super().close()
        self._connection.close()

    def _try_again(self, until_s: float) -> bool:
        """Return whether connecting took too long; it is tried if there is time left."""
        if time.monotonic() >= until_s:
            return False
        try:
            self.connect()
        except (OSError, TurnError):
            self.close()
        else:
            self.connected = True
        return time.monotonic() >= until_s

    def _new_session(self, protocol: Protocol) -> Session:
        url = f"{self._endpoint.origin}{self._endpoint.prefix}/"
        return Session(protocol, context={**_BROWSER, "url": url})

    def _keep_cookie(self) -> None:
        """Trade the code that came with the sign-in for a cookie, as the script of that page does."""
        code, self._session.sign_in_code = self._session.sign_in_code, None
        if code is None:
            return
        headers = {"Host": self._endpoint.host, "Origin": self._endpoint.origin, "X-Sign-In-Code": code}
        beside = Connection(self._endpoint)  # its own is the WebSocket's
        answer = beside.exchange(http.request("POST", f"{self._endpoint.prefix}/session", headers))
        beside.close()
        if answer.status != 204:
            raise TurnError("http", f"POST /session: HTTP {answer.status}")

    def _first_run(self) -> None:
        self._page_requests()
        self._handshake()
        self._session.chat_input = None
        self._session.buttons.clear()
        self._session.expect(None)
        self._send(self._session.frame(None))
        self._run(None)

    def _page_requests(self) -> None:
        for path in ("/_stcore/health", "/_stcore/host-config"):
            headers = {"Host": self._endpoint.host, "Cookie": self._cookies()}
            answer = self._connection.exchange(http.request("GET", self._endpoint.prefix + path, headers))
            if answer.status != 200:
                raise TurnError("http", f"GET {path}: HTTP {answer.status}")
            for name, value in answer.headers:
                if name == "set-cookie" and (token := _XSRF_COOKIE.match(value)):
                    self.xsrf_token = token[1].strip('"')

    def _cookies(self) -> str:
        known = [f"chat_session={self.visitor.session}"] if self._signed_in_before else []
        known += [f"_streamlit_xsrf={self.xsrf_token}"] if self.xsrf_token else []
        return "; ".join(known)

    def _handshake(self) -> None:
        key = new_key()
        protocols = ["streamlit", self.xsrf_token or _NO_XSRF_TOKEN, *filter(None, [self._session.session_id])]
        headers = {
            "Host": self._endpoint.host,
            "Origin": self._endpoint.origin,
            "Cookie": self._cookies(),
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Protocol": ", ".join(protocols),
        }
        target = f"{self._endpoint.prefix}/_stcore/stream"
        answer = self._connection.exchange(http.request("GET", target, headers))
        if answer.status != 101:
            raise TurnError("http", f"WebSocket handshake: HTTP {answer.status}")
        if answer.header("sec-websocket-accept") != accept_of(key):
            raise TurnError("connection", "WebSocket handshake: wrong Sec-WebSocket-Accept")
        self._frames = FrameReader()

    def _send(self, payload: bytes) -> None:
        if self._connection.sock is None:
            raise TurnError("connection", "the WebSocket is closed")
        self._connection.sock.sendall(client_frame(BINARY, payload))

    def _run(self, trace: GrowingText | None) -> None:
        """Read until the script has finished."""
        while self._session.running:
            self._receive(trace, None)
            if self._session.error:
                raise TurnError("application", f"the page shows an exception: {self._session.error}")

    def _receive(self, trace: GrowingText | None, timeout_s: float | None) -> None:
        sock = self._connection.sock
        if sock is None:
            raise TurnError("connection", "the WebSocket is closed")
        if timeout_s is not None:
            sock.settimeout(timeout_s)
        try:
            data = sock.recv(_READ_BYTES)
        finally:
            if timeout_s is not None:
                sock.settimeout(None)
        now_s = time.monotonic()
        if trace is not None:
            trace.wire_bytes += len(data)
        for opcode, payload in self._frames.feed(data):
            if opcode == BINARY:
                self._session.take(payload, trace, now_s)
            elif opcode == PING:
                self._answer_ping(sock, payload)
            elif opcode == CLOSE:
                data = b""
        if not data:
            self._connection.close()
            raise TurnError("connection", "the server closed the WebSocket")

    @staticmethod
    def _answer_ping(sock: socket.socket, payload: bytes) -> None:
        sock.sendall(client_frame(PONG, payload))
