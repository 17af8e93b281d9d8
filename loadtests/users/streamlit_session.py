"""The state of a Streamlit page: widgets on screen, the run under way, the answer as it grows."""

import re
from dataclasses import dataclass, field
from typing import Any

from harness.records.recipe import END_MARKER
from loadtests.reading import GrowingText, foreign_nonce
from loadtests.users.streamlit_wire import Protocol

_SUCCEEDED, _COMPILE_ERROR, _ENDED_FOR_RERUN, _FRAGMENT_SUCCEEDED = range(4)
_THUMBS = 2  # the style BORDERLESS of a button group, which ratings were before they had an element of their own
_CURSOR = " ▌▍█▏|"
_PLAIN_VALUES = {"text_input": "string_value", "text_area": "string_value", "checkbox": "bool_value"}
_SIGN_IN_CODE = re.compile(r"""code["']?[:=] ?["']([0-9a-f]{32})["']""")
_NONCE_START = re.compile(r"[0-9a-f]{12} ")


@dataclass(slots=True)
class Widget:
    """A widget on screen and the fragment it belongs to (empty: the whole script)."""

    id: str
    fragment_id: str = ""
    state: Any = None  # goes with every run; None: a button, or the chat input


@dataclass(slots=True)
class Session:
    """The state of one page; ``take`` gets every message from the server."""

    protocol: Protocol
    session_id: str = ""
    page_script_hash: str = ""
    query_string: str = ""  # as the app set it in the address bar
    chat_input: Widget | None = None
    buttons: dict[str, Widget] = field(default_factory=dict)  # by label
    inputs: dict[str, str] = field(default_factory=dict)  # ids of lines to type text into, by label
    values: dict[str, Widget] = field(default_factory=dict)  # widgets that have a state, by id
    context: dict[str, Any] = field(default_factory=dict)  # of the browser: plain fields of ``ContextInfo``
    sign_in_code: str | None = None  # to be traded for a cookie
    running: bool = False
    error: str | None = None  # the script's failure in this run
    notice: str | None = None  # the last alert on screen in this run
    nonces: set[str] = field(default_factory=set)  # of this user's own answers so far
    nonce: str | None = None  # of the answer waited for
    stranger: str | None = None  # nonce of another user's answer on this page
    _drawn: set[str] = field(default_factory=set)  # ids of widgets of the run under way
    _fragments: set[str] = field(default_factory=set)  # fragments that it drew

    def expect(self, nonce: str | None) -> None:
        """Start to wait for the answer that begins with ``nonce``, or for a run without one."""
        self.running = True
        self.error = self.notice = self.stranger = None
        self.nonce = nonce
        if nonce:
            self.nonces.add(nonce)

    def frame(self, trigger: Any | None, fragment_id: str = "") -> bytes:
        """Return the frame for a run: the widgets on screen, and the one just used."""
        widgets = [widget.state for widget in self.values.values()]
        if trigger is not None:
            widgets.append(trigger)
        state = {
            "query_string": self.query_string,
            "page_script_hash": self.page_script_hash,
            "fragment_id": fragment_id,
        }
        return self.protocol.rerun(state, widgets, self.context)

    def take(self, payload: bytes, trace: GrowingText | None, at_s: float) -> None:
        """Take note of one message; an answer's growth and end go into ``trace``."""
        message = self.protocol.forward_msg.FromString(payload)
        kind = message.WhichOneof("type")
        if kind == "delta":
            delta = message.delta
            if delta.WhichOneof("type") == "new_element":
                self._element(delta.new_element, delta.fragment_id, trace, at_s)
        elif kind == "new_session":
            session = message.new_session
            self.session_id = session.initialize.session_id or self.session_id
            self.page_script_hash = session.page_script_hash
            self._drawn, self._fragments = set(), set()
            self.running = True
        elif kind == "script_finished":
            self._finished(message.script_finished, trace, at_s)
        elif kind == "navigation":
            self.page_script_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query_string = message.page_info_changed.query_string
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            self.error = _words(message.session_event.script_compilation_exception)

    def _element(self, element: Any, fragment_id: str, trace: GrowingText | None, at_s: float) -> None:
        kind = element.WhichOneof("type")
        self._fragments.add(fragment_id)
        if kind == "markdown":
            self._markdown(element.markdown.body, trace, at_s)
        elif kind == "chat_input":
            self.chat_input = Widget(element.chat_input.id, fragment_id)
        elif kind == "button":
            self.buttons[element.button.label] = Widget(element.button.id, fragment_id)
        elif kind == "exception":
            if not element.exception.is_warning:
                self.error = _words(element.exception)
        elif kind == "alert":
            self.notice = str(element.alert.body)[:200]
        elif kind in ("bidi_component", "iframe"):
            component = element.bidi_component.json if kind == "bidi_component" else element.iframe.srcdoc
            if code := _SIGN_IN_CODE.search(component):
                self.sign_in_code = code[1]
        elif kind in (*_PLAIN_VALUES, "feedback") or (kind == "button_group" and element.button_group.style == _THUMBS):
            self._widget(kind, getattr(element, kind), fragment_id)

    def _widget(self, kind: str, widget: Any, fragment_id: str) -> None:
        """Keep a widget as it is first drawn; drawn again it keeps its value."""
        self._drawn.add(widget.id)
        if widget.id in self.values:
            return
        state = self.protocol.widget_state(id=widget.id)
        if kind in _PLAIN_VALUES:
            setattr(state, _PLAIN_VALUES[kind], widget.default)
        elif kind == "feedback":
            state.string_value = ""  # nobody rates an answer under load
        else:
            state.int_array_value.SetInParent()
        if kind == "text_input":
            self.inputs[widget.label] = widget.id
        self.values[widget.id] = Widget(widget.id, fragment_id, state)

    def _markdown(self, body: str, trace: GrowingText | None, at_s: float) -> None:
        start = body.find(self.nonce) if self.nonce else -1
        if start >= 0 and trace is not None:
            trace.saw(body[start:].rstrip(_CURSOR), at_s)
        elif _NONCE_START.match(body) and foreign_nonce(body, "") not in self.nonces:
            self.stranger = body[:12]

    def _finished(self, status: int, trace: GrowingText | None, at_s: float) -> None:
        if status == _COMPILE_ERROR and self.error is None:
            self.error = "the script does not compile"
        if trace is not None and trace.done_s is None and END_MARKER in trace.text:
            trace.finish(at_s)
        if status in (_SUCCEEDED, _FRAGMENT_SUCCEEDED):
            kept = [one for one in self.values.values() if one.id in self._drawn or not self._drew_all_of(one, status)]
            self.values = {widget.id: widget for widget in kept}
        self.running = status == _ENDED_FOR_RERUN

    def _drew_all_of(self, widget: Widget, status: int) -> bool:
        """Return whether a run that ended so would have drawn this widget if it were still on the page."""
        return status == _SUCCEEDED or widget.fragment_id in self._fragments


def _words(exception: Any) -> str:
    return f"{exception.type}: {exception.message}"[:200]
