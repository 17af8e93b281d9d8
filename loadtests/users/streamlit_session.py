"""The state of a Streamlit page: widgets on screen, the run under way, the answer as it grows."""

import re
from dataclasses import dataclass, field
from typing import Any

from harness.records.recipe import END_MARKER, NONCE_CHARS
from loadtests.reading import GrowingText
from loadtests.users.streamlit_answer import AnswerOnPage, Path
from loadtests.users.streamlit_refresh import Timers, is_autorefresh
from loadtests.users.streamlit_wire import Protocol

_SUCCEEDED, _COMPILE_ERROR, _ENDED_FOR_RERUN, _FRAGMENT_SUCCEEDED = range(4)
_THUMBS = 2  # the style BORDERLESS of a button group, which ratings were before they had an element of their own
_PLAIN_VALUES = {"text_input": "string_value", "text_area": "string_value", "checkbox": "bool_value"}
_SIGN_IN_CODE = re.compile(r"""code["']?[:=] ?["']([0-9a-f]{32})["']""")
_MARK = re.compile(r"([0-9a-f]{12}) ")  # how an answer of the model begins, and a time stamp may, such as 202611291849
_ASKED: set[str] = set()  # nonces of the messages of all users in this process: what another user's answer begins with


@dataclass(slots=True)
class Widget:
    """A widget on screen and the fragment it belongs to (empty: the whole script)."""

    id: str
    fragment_id: str = ""
    state: Any = None  # goes with every run; None: a button, or the chat input
    form_id: str = ""  # of the form whose button sends it


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
    pages: dict[str, str] = field(default_factory=dict)  # hashes of the app's pages, by name
    timers: Timers = field(default_factory=Timers)
    running: bool = False  # the run waited for is not over
    error: str | None = None  # the script's failure in this run
    notice: str | None = None  # the last alert on screen in this run
    nonces: set[str] = field(default_factory=set)  # of this user's own answers so far
    nonce: str | None = None  # of the answer waited for
    _stranger: str | None = None  # nonce of another user's answer on this page
    _unclaimed: str = ""  # the last whole answer on this page behind a mark that nobody here waited for
    _answer: AnswerOnPage = field(default_factory=AnswerOnPage)
    _wanted: str = ""  # fragment whose run is waited for; empty: the whole script
    _run: int = 0  # number of the run under way
    _of: set[str] = field(default_factory=set)  # the fragments that it is of; none: the whole script
    _drawn: set[str] = field(default_factory=set)  # ids of widgets that it drew
    _fragments: set[str] = field(default_factory=set)  # fragments that it drew
    _refreshing: set[str] = field(default_factory=set)  # runs that a timer asked for and that are not over
    _ahead: set[str] = field(default_factory=set)  # those of them that may come before the run waited for
    _to_be_continued: bool = False  # the run waited for ended for another one

    def expect(self, nonce: str | None, fragment_id: str = "") -> None:
        """Start to wait for the answer that begins with ``nonce``, or for a run of a fragment without one."""
        self.running = True
        self.error = self.notice = self._stranger = None
        self._unclaimed = ""
        self.nonce, self._wanted = nonce, fragment_id
        self._ahead, self._to_be_continued = set(self._refreshing), False
        self._answer.expect(nonce)
        if nonce:
            self.nonces.add(nonce)
            _ASKED.add(nonce)

    def stranger(self, *, answered: bool) -> str | None:
        """Return the mark of an answer on this page that is another user's.

        Where the own answer did not come, a whole answer behind an unknown mark is in its place: the message's tag was
        lost, or a user of another process asked.
        """
        if self._stranger or answered or any(nonce in self._unclaimed for nonce in self.nonces):
            return self._stranger
        return self._unclaimed[:NONCE_CHARS] or None

    def leave_page(self) -> None:
        """Forget what is on screen: another page, or the same one anew, is about to be drawn."""
        self.chat_input = None
        self.buttons.clear()
        self.inputs.clear()
        self.values.clear()
        self.timers = Timers()
        self._refreshing.clear()

    def due_frames(self, now_s: float) -> list[bytes]:
        """Return the frames for the runs that are due at the page's timers."""
        frames = []
        for timer in self.timers.due(now_s):
            if timer.component_id:
                state = self.protocol.widget_state(id=timer.component_id, json_value=str(timer.runs))
                self.values[timer.component_id] = Widget(timer.component_id, timer.fragment_id, state)
            self._refreshing.add(timer.fragment_id)
            frames.append(self.frame(None, timer.fragment_id, automatic=not timer.component_id))
        return frames

    def frame(
        self, trigger: Any | None, fragment_id: str = "", *, page_name: str = "", automatic: bool = False
    ) -> bytes:
        """Return the frame for a run: the widgets on screen, and the one just used.

        Args:
            trigger: state of the widget just used.
            fragment_id: run this fragment alone.
            page_name: of the page to open, as in the address; for the first run.
            automatic: a timer asks for it.
        """
        widgets = [widget.state for widget in self.values.values()]
        if trigger is not None:
            widgets.append(trigger)
        state = {
            "query_string": self.query_string,
            "page_script_hash": self.page_script_hash,
            "fragment_id": fragment_id,
            "page_name": page_name,
            "is_auto_rerun": automatic,
        }
        return self.protocol.rerun(state, widgets, self.context)

    def take(self, payload: bytes, trace: GrowingText | None, at_s: float) -> None:
        """Take note of one message; an answer's growth and end go into ``trace``."""
        message = self.protocol.forward_msg.FromString(payload)
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._delta(message.delta, tuple(message.metadata.delta_path), trace, at_s)
        elif kind == "ref_hash":
            self._answer.keep(tuple(message.metadata.delta_path), self._run)
        elif kind == "new_session":
            self._begun(message, trace)
        elif kind == "script_finished":
            self._finished(message.script_finished, trace, at_s)
        elif kind == "navigation":
            self.page_script_hash = message.navigation.page_script_hash
            self._take_pages(message.navigation.app_pages)
        elif kind == "page_info_changed":
            self.query_string = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.timers.run_every(message.auto_rerun.fragment_id, message.auto_rerun.interval, at_s)
        elif kind == "stop_auto_rerun":
            self.timers.stop(set(message.stop_auto_rerun.fragment_ids))
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            self.error = _words(message.session_event.script_compilation_exception)

    @property
    def _waited_for(self) -> bool:
        """Whether the run under way is the one waited for, and not another fragment's."""
        return not self._of or self._wanted in self._of

    def _begun(self, message: Any, trace: GrowingText | None) -> None:
        session = message.new_session
        self.session_id = session.initialize.session_id or self.session_id
        self.page_script_hash = session.page_script_hash
        self._take_pages(session.app_pages)
        self._run, self._of = self._run + 1, self.protocol.fragments_of(message)
        self._drawn, self._fragments = set(), set()
        if not self._of:
            self.timers.whole_script_runs()
        if self._waited_for:
            self.running = True
        elif self._to_be_continued and (trace is None or trace.text or self.notice):
            self.running = False  # the run waited for had ended: the server says so only of the last of several
        self._to_be_continued = False

    def _take_pages(self, app_pages: Any) -> None:
        for page in app_pages:
            names = {page.page_name, getattr(page, "url_pathname", "")} - {""}
            self.pages.update(dict.fromkeys(names, page.page_script_hash))

    def _delta(self, delta: Any, path: Path, trace: GrowingText | None, at_s: float) -> None:
        kind = delta.WhichOneof("type")
        element = delta.new_element if kind == "new_element" else None
        fragment_id = str(getattr(delta, "fragment_id", ""))  # Streamlit has fragments from 1.33 on
        if element is not None:
            self._element(element, fragment_id, at_s)
        if kind in ("new_element", "add_block"):
            text = self._answer.draw(path, element, fragment_id, self._run)
            if text is not None and trace is not None:
                trace.saw(text, at_s)

    def _element(self, element: Any, fragment_id: str, at_s: float) -> None:
        kind = element.WhichOneof("type")
        self._fragments.add(fragment_id)
        if kind in ("markdown", "text"):
            self._look_for_stranger(getattr(element, kind).body)
        elif kind == "chat_input":
            self._drawn.add(element.chat_input.id)
            self.chat_input = Widget(element.chat_input.id, fragment_id)
        elif kind == "button":
            self._drawn.add(element.button.id)
            self.buttons[element.button.label] = Widget(element.button.id, fragment_id)
        elif kind == "exception":
            if not element.exception.is_warning:
                self.error = _words(element.exception)
        elif kind == "alert":
            self.notice = str(element.alert.body)[:200]
        elif kind in ("component_instance", "bidi_component", "iframe"):
            self._component(kind, getattr(element, kind), fragment_id, at_s)
        elif kind in (*_PLAIN_VALUES, "feedback") or (kind == "button_group" and element.button_group.style == _THUMBS):
            self._widget(kind, getattr(element, kind), fragment_id)

    def _component(self, kind: str, component: Any, fragment_id: str, at_s: float) -> None:
        """Note what a component would do by itself: run the script every so often, or trade a code for a cookie."""
        if kind != "component_instance":
            if code := _SIGN_IN_CODE.search(component.json if kind == "bidi_component" else component.srcdoc):
                self.sign_in_code = code[1]
        elif is_autorefresh(component.component_name):
            self._drawn.add(component.id)
            self.timers.component(component.id, component.json_args, fragment_id, at_s)

    def _widget(self, kind: str, widget: Any, fragment_id: str) -> None:
        """Keep a widget as it is first drawn; drawn again it keeps its value unless the script sets another."""
        self._drawn.add(widget.id)
        known = self.values.get(widget.id)
        if known is not None:
            if kind in _PLAIN_VALUES and widget.set_value:
                setattr(known.state, _PLAIN_VALUES[kind], widget.value)
            return
        state = self.protocol.widget_state(id=widget.id)
        if kind in _PLAIN_VALUES:
            setattr(state, _PLAIN_VALUES[kind], widget.value if widget.set_value else widget.default)
        elif kind == "feedback":
            state.string_value = ""  # nobody rates an answer under load
        else:
            state.int_array_value.SetInParent()
        if kind in ("text_input", "text_area"):
            self.inputs[widget.label] = widget.id
        self.values[widget.id] = Widget(widget.id, fragment_id, state, getattr(widget, "form_id", ""))

    def _look_for_stranger(self, body: str) -> None:
        mark = _MARK.match(body)
        if mark is None or mark[1] in self.nonces:
            return
        if mark[1] in _ASKED:
            self._stranger = mark[1]
        elif END_MARKER in body:
            self._unclaimed = body

    def _finished(self, status: int, trace: GrowingText | None, at_s: float) -> None:
        if status == _COMPILE_ERROR and self.error is None:
            self.error = "the script does not compile"
        over = self._waited_for and not self._is_a_refresh_ahead(trace)
        self._refreshing -= self._of or self._refreshing
        if status in (_SUCCEEDED, _FRAGMENT_SUCCEEDED):
            self._forget_what_was_not_drawn(status)
        if over and status != _ENDED_FOR_RERUN and trace is not None:
            text = self._answer.over(lambda fragment, run: run < self._run and self._drew_all_of(fragment, status))
            if text is not None:
                trace.saw(text, at_s)
        if trace is not None and trace.done_s is None and END_MARKER in trace.text:
            trace.finish(at_s)
        if over:
            self.running = self._to_be_continued = status == _ENDED_FOR_RERUN

    def _is_a_refresh_ahead(self, trace: GrowingText | None) -> bool:
        """Return whether the run under way is one that a timer had asked for before the message was sent.

        Its ``new_session`` may have come after that. It shows nothing of the answer, and the run waited for follows.
        """
        ahead = (self._wanted if self._of else "") in self._ahead
        self._ahead -= self._of or self._ahead
        return ahead and trace is not None and not trace.text and self.notice is None

    def _forget_what_was_not_drawn(self, status: int) -> None:
        """Take widgets from the page that a run which ended so would have drawn if they were still there."""

        def stays(widget: Widget) -> bool:
            return widget.id in self._drawn or not self._drew_all_of(widget.fragment_id, status)

        self.values = {key: widget for key, widget in self.values.items() if stays(widget)}
        self.inputs = {label: key for label, key in self.inputs.items() if key in self.values}
        self.buttons = {label: widget for label, widget in self.buttons.items() if stays(widget)}
        if self.chat_input is not None and not stays(self.chat_input):
            self.chat_input = None
        if status == _SUCCEEDED:
            self.timers.keep_components(self._drawn)

    def _drew_all_of(self, fragment_id: str, status: int) -> bool:
        """Return whether a run that ended so drew all that a fragment, or the script around it, has on the page."""
        return status == _SUCCEEDED or fragment_id in self._fragments


def _words(exception: Any) -> str:
    return f"{exception.type}: {exception.message}"[:200]
