"""Streamlit's wire as one client sees it: its messages, a WebSocket opened as anybody, runs of the script."""

import importlib
import re
import sys
import time
import types
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket

from harness.probes.claims import expect
from harness.probes.contract.page import origin_of

PATIENCE_S = 20.0  # with a server that sends nothing
RUN_S = 60.0  # with a run of the script: one in an endless loop draws for ever, and pings come meanwhile
ENDED_FOR_RERUN = 2


class UnfinishedError(websocket.WebSocketTimeoutException):
    """A run of the page's script did not end in its time."""


@dataclass(frozen=True, slots=True)
class Messages:
    """The message classes of the target's own Streamlit."""

    back: Any  # class BackMsg
    forward: Any  # class ForwardMsg
    state: Any  # class WidgetState


def messages(site: str) -> Messages:
    """Load the generated modules of a folder of packages, never Streamlit itself; one version per process."""
    package = types.ModuleType("streamlit")
    package.__path__ = [str(Path(site) / "streamlit")]
    sys.modules["streamlit"] = package
    back = importlib.import_module("streamlit.proto.BackMsg_pb2")
    forward = importlib.import_module("streamlit.proto.ForwardMsg_pb2")
    states = importlib.import_module("streamlit.proto.WidgetStates_pb2")
    return Messages(back.BackMsg, forward.ForwardMsg, states.WidgetState)


@dataclass(slots=True)
class Shown:
    """An element on the page."""

    kind: str
    element: Any
    fragment: str

    @property
    def id(self) -> str:
        """The widget's id, "" for what is none."""
        return str(getattr(self.element, "id", ""))

    @property
    def label(self) -> str:
        """Its label, or its text."""
        return str(getattr(self.element, "label", "") or getattr(self.element, "body", ""))


@dataclass(slots=True, kw_only=True)
class Session:
    """One open page: a WebSocket, what the last run of the whole script drew, and all bytes that ever came."""

    base_url: str
    messages: Messages
    cookie: str | None = None
    query: str = ""
    script: str = ""
    session_id: str = ""
    page: list[Shown] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)  # path in the address -> hash
    raw: bytes = b""
    errors: list[str] = field(default_factory=list)
    socket: Any = None

    def __enter__(self) -> "Session":
        """Open the page: one run of the script."""
        url = urllib.parse.urlsplit(self.base_url)
        self.socket = websocket.create_connection(
            f"ws://{url.netloc}{url.path.rstrip('/')}/_stcore/stream",
            subprotocols=["streamlit"],
            origin=origin_of(self.base_url),
            cookie=f"chat_session={self.cookie}" if self.cookie else None,
            timeout=PATIENCE_S,
            http_no_proxy=["*"],  # a proxy of a person's is not to stand between
        )
        self.run()
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def run(self, *states: Any, fragment: str = "", script: str | None = None, keep: bool = False) -> None:
        """Ask for a run with these widgets' states and take what it draws, until it has finished.

        ``keep``: what was drawn before stays known, because the script may decide to draw a fragment only.

        Raises:
            UnfinishedError: it does not end.
        """
        message = self.messages.back()
        wanted = message.rerun_script
        wanted.SetInParent()
        wanted.query_string = self.query
        if fragment:  # Streamlit has them from 1.33 on
            wanted.fragment_id = fragment
        wanted.page_script_hash = self.script if script is None else script
        wanted.widget_states.widgets.extend(states)
        self.socket.send_binary(message.SerializeToString())
        if not fragment and not keep:
            self.page = []
        ends_s = time.monotonic() + RUN_S
        while not self._take(self._next(ends_s)):
            pass

    def _next(self, ends_s: float) -> bytes:
        """Return the next message, empty where the server closes the WebSocket; UnfinishedError after ``ends_s``."""
        while True:
            try:
                opcode, data = self.socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                raise UnfinishedError(f"the page's script was silent for {PATIENCE_S:.0f} s") from None
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return b""
            if time.monotonic() > ends_s:
                raise UnfinishedError(f"the page's script was still running after {RUN_S:.0f} s")
            if opcode in (websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT):
                return bytes(data)

    def state(self, widget_id: str, **value: Any) -> Any:
        """Return the state of a widget; a chat message is given as ``chat``."""
        if "chat" not in value:
            return self.messages.state(id=widget_id, **value)
        if "chat_input_value" in self.messages.state.DESCRIPTOR.fields_by_name:
            return self.messages.state(id=widget_id, chat_input_value={"data": value["chat"]})
        return self.messages.state(id=widget_id, string_trigger_value={"data": value["chat"]})

    def click(self, shown: Shown, *states: Any) -> None:
        """Click a button that is on the page (or was on somebody else's)."""
        self.run(*states, self.state(shown.id, trigger_value=True), fragment=shown.fragment)

    def find(self, kind: str, label: str = "", key: str = "") -> Shown:
        """Return the last element of a kind, by a part of its label and the end of its key; raises RefutedError."""
        found = [one for one in self.page if one.kind == kind and label in one.label and one.id.endswith(key)]
        expect(bool(found), f"no {kind} {label or key!r} on the page")
        return found[-1]

    def has(self, kind: str, label: str = "", key: str = "") -> bool:
        """Tell whether such an element is on the page."""
        return any(one.kind == kind and label in one.label and one.id.endswith(key) for one in self.page)

    def send(self, text: str) -> None:
        """Type a message into the chat input."""
        shown = self.find("chat_input")
        self.run(self.state(shown.id, chat=text), fragment=shown.fragment, keep=True)

    def shows(self, text: str) -> bool:
        """Tell whether these bytes ever came."""
        return text.encode() in self.raw

    def conversation(self) -> str:
        """Return the number (a hybrid's: the UUID) of the open conversation, as the app keeps it in the address."""
        found = re.search(r"conversation=([0-9a-f-]+)", self.query)
        expect(found is not None, "no conversation is open")
        return found[1] if found else ""

    def _take(self, content: bytes) -> bool:
        """Note one message; True at the end of the run."""
        expect(bool(content), "the server closed the WebSocket")
        self.raw += content
        message = self.messages.forward.FromString(content)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session_id = message.new_session.initialize.session_id or self.session_id
            self.script = message.new_session.page_script_hash
        elif kind == "navigation":
            self.pages = {one.url_pathname: one.page_script_hash for one in message.navigation.app_pages}
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._drew(message.delta.new_element, str(getattr(message.delta, "fragment_id", "")))
        return bool(kind == "script_finished" and message.script_finished != ENDED_FOR_RERUN)

    def _drew(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception" and not element.exception.is_warning:
            self.errors.append(f"{element.exception.type}: {element.exception.message}"[:200])
        if kind:
            self.page.append(Shown(kind, getattr(element, kind), fragment))
