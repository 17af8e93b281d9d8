"""A user of a Streamlit page: its WebSocket, its widgets, its reruns; no browser."""

import re
import time
from collections.abc import Iterable
from typing import Any

from loadtests import http
from loadtests.connection import Connection, endpoint
from loadtests.page import Page, PageLoad, Visitor, sleep_until
from loadtests.reading import GrowingText, SignInError, TurnError
from loadtests.users.assets import fetch_page
from loadtests.users.streamlit_session import Session, Widget
from loadtests.users.streamlit_wire import Protocol, load
from loadtests.users.websocket import WebSocket
from loadtests.wire.websocket import BINARY

NEW_CONVERSATION = "New conversation"
SIGN_IN, USERNAME, PASSWORD = "Sign in", "Username", "Password"  # labels of the form
#: what a browser says of itself and its place with every run
_BROWSER = {"timezone": "UTC", "timezone_offset": 0, "locale": "en-US", "is_embedded": False, "color_scheme": "light"}
_NO_XSRF_TOKEN = "PLACEHOLDER_AUTH_TOKEN"  # noqa: S105  # what the page sends where the server set no cookie
_XSRF_COOKIE = re.compile(r"_streamlit_xsrf=([^;]+)")
_RETRY_S = 1.0
_MOST_WORDS = 120  # of what is on a page, in an error


class StreamlitPage(Page):
    """A page over one WebSocket, signed in by the cookie of the handshake.

    Where a click, a form or another page leads to the chat input, a class of one's own overrides ``enter``;
    docs/user-class.md has an example.
    """

    page_name = ""  # of a multipage app's page, as in its address; empty: the first
    message_box = ""  # label of the text box that takes messages where the page has no chat input
    send_button = ""  # label of the button that sends what is in that box; empty: the box sends it

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(visitor)
        self._endpoint = endpoint(visitor.base_url)
        self._connection = Connection(self._endpoint)
        self._socket = WebSocket(self._connection)
        self._session = self._new_session(load(visitor.streamlit_site), ())
        self._asked = False  # a message since the page was opened
        self.xsrf_token = ""  # as the server's cookie has it
        self._signed_in_before = True  # its session was made beforehand

    def connect(self) -> None:
        """Get health and host configuration as the page does, open the WebSocket, run the script once, enter."""
        self._first_run()
        if not self._may_chat:
            self.enter()
        if not self._may_chat:
            raise SignInError("application", self._without_chat_input())

    def enter(self) -> None:
        """Do what leads from an opened page without a chat input to that input: nothing here; see the class."""

    def press(self, label: str) -> None:
        """Click a button, the one of a form included, and wait until the page is drawn.

        Raises:
            TurnError: no such button, or the page shows an exception; OSError: the connection failed.
        """
        button = self._session.buttons.get(label)
        if button is None:
            raise TurnError("application", f"no button {label!r} on the page; {self._on_page()}")
        self._use(button, self._session.protocol.click(button.id))

    def fill(self, label: str, text: str) -> None:
        """Write into a line or a box of text; outside a form the script runs at once, as when a user leaves it.

        Raises:
            TurnError: no such input, or the page shows an exception; OSError: the connection failed.
        """
        widget = self._session.values.get(self._session.inputs.get(label, ""))
        if widget is None:
            raise TurnError("application", f"no text input {label!r} on the page; {self._on_page()}")
        widget.state.string_value = text
        if not widget.form_id:
            self._use(widget, None)

    def open(self, page: str) -> None:
        """Go to another page of a multipage app, by its name or its path in the address.

        Raises:
            TurnError: no such page, or it shows an exception; OSError: the connection failed.
        """
        page_script_hash = self._session.pages.get(page)
        if page_script_hash is None:
            raise TurnError("application", f"no page {page!r} in the app; {self._on_page()}")
        self._session.leave_page()
        self._session.page_script_hash = page_script_hash
        self._use(Widget(""), None)

    def open_page(self) -> PageLoad:
        """Return the cost of index.html and its files, fetched without a cookie."""
        self.close()
        self._session = self._new_session(self._session.protocol, self._session.nonces)
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
        self._use(button, session.protocol.click(button.id))
        if session.chat_input is None:
            raise SignInError("application", session.notice or "no chat input on the page: not signed in")

    def new_conversation(self) -> None:
        """Click "New conversation" and wait until the page is drawn; a page without that button is opened anew.

        After signing in, a page keeps its cookie for later visits first. No user waits for that, so no sign-in is
        measured with it.
        """
        self._keep_cookie()
        if NEW_CONVERSATION in self._session.buttons:
            self.press(NEW_CONVERSATION)
        elif self._asked:
            self._connection.close()
            self._session = self._new_session(self._session.protocol, self._session.nonces)
            self.connect()

    def ask(self, text: str, nonce: str, trace: GrowingText) -> None:
        """Type a message and send it; the turn is over when the script that wrote the answer has finished."""
        used, state = self._sending(text)
        self._asked = True
        self._use(used, state, nonce, trace)
        trace.ready_s = time.monotonic()
        if stranger := self._session.stranger(answered=bool(trace.text)):
            raise TurnError("foreign_nonce", f"an answer that starts with {stranger} is on this page")
        if not trace.text:
            raise TurnError("application", self._session.notice or "the script finished without an answer")

    def idle(self, until_s: float) -> bool:
        """Return whether the page was connecting at ``until_s``.

        Until then answer pings, connect again, and ask for the runs that an open page asks for by itself.
        """
        while (left_s := until_s - time.monotonic()) > 0:
            if not self.connected:
                sleep_until(min(until_s, time.monotonic() + _RETRY_S))
                if self._try_again(until_s):
                    return True
                continue
            try:
                self._receive(None, left_s)
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

    def _new_session(self, protocol: Protocol, nonces: Iterable[str]) -> Session:
        """Return a page that is about to be opened; its app may show this user's earlier answers, by their nonces."""
        url = f"{self._endpoint.origin}{self._endpoint.prefix}/"
        return Session(protocol, context={**_BROWSER, "url": url}, nonces=set(nonces))

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
        page_name = "" if self._session.page_script_hash else self.page_name
        self._socket.send(self._session.frame(None, page_name=page_name))
        self._run(None)
        self._asked = False

    def _sending(self, text: str) -> tuple[Widget, Any]:
        """Return the widget that a message is sent with, and its state; None where that of the text box says it all.

        Raises:
            TurnError: it is not on the page.
        """
        session, box = self._session, self._box
        if box is not None and (not self.send_button or self.send_button in session.buttons):
            box.state.string_value = text
            if not self.send_button:
                return box, None
            button = session.buttons[self.send_button]
            return button, session.protocol.click(button.id)
        if session.chat_input is None:
            raise TurnError("application", self._without_chat_input())
        return session.chat_input, session.protocol.chat_message(session.chat_input.id, text)

    @property
    def _box(self) -> Widget | None:
        """The text box that takes messages, where the class names one and the page has it."""
        return self._session.values.get(self._session.inputs.get(self.message_box, "")) if self.message_box else None

    @property
    def _may_chat(self) -> bool:
        session = self._session
        return not (session.chat_input is None and self._box is None) or NEW_CONVERSATION in session.buttons

    def _without_chat_input(self) -> str:
        """Return what to do on a page without a chat input."""
        told = f"no chat input on the page of {self.visitor.username}; {self._on_page()}"
        return f"{told}. Where a click, a form or a page leads to it, extend StreamlitPage (docs/user-class.md)"

    def _on_page(self) -> str:
        session = self._session
        others: Iterable[str] = session.pages if len(set(session.pages.values())) > 1 else ()
        found: dict[str, Iterable[str]] = {"buttons": session.buttons, "text inputs": session.inputs, "pages": others}
        words = [f"{kind}: {', '.join(map(repr, names))}" for kind, names in found.items() if names]
        return "; ".join(words)[:_MOST_WORDS] or "no button and no text input"

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
        protocols = ["streamlit", self.xsrf_token or _NO_XSRF_TOKEN, *filter(None, [self._session.session_id])]
        self._socket.open(f"{self._endpoint.prefix}/_stcore/stream", {"Cookie": self._cookies()}, protocols)

    def _use(
        self, widget: Widget, trigger: Any | None, nonce: str | None = None, trace: GrowingText | None = None
    ) -> None:
        """Ask for the run that a widget's use leads to, and read until the page is drawn."""
        self._session.expect(nonce, widget.fragment_id)
        self._socket.send(self._session.frame(trigger, widget.fragment_id))
        self._run(trace)

    def _run(self, trace: GrowingText | None) -> None:
        """Read until the script has finished."""
        while self._session.running:
            self._receive(trace, None)
            if self._session.error:
                raise TurnError("application", f"the page shows an exception: {self._session.error}")

    def _receive(self, trace: GrowingText | None, timeout_s: float | None) -> None:
        """Ask for the runs that are due at the page's timers; read once, no longer than until the next is due."""
        now_s = time.monotonic()
        for frame in self._session.due_frames(now_s):
            self._socket.send(frame)
        waits = [one for one in (timeout_s, self._session.timers.left_s(now_s)) if one is not None]
        for opcode, payload in self._socket.receive(trace, min(waits, default=None)):
            if opcode == BINARY:
                self._session.take(payload, trace, self._socket.read_s)
