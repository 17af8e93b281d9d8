"""A program that uses the chatbot as its Streamlit page does: runs of the script over a WebSocket, widgets by label."""

import re
from collections.abc import Iterator
from typing import Any

import requests
import websocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

KINDS = ("button", "text_input", "chat_input", "download_button", "feedback", "button_group")
ENDED_FOR_RERUN = 2


class Chatbot:
    """One person's session."""

    def __init__(self, address: str) -> None:
        self.address = address
        url = address.replace("http", "ws", 1) + "/_stcore/stream"
        self.socket = websocket.create_connection(url, subprotocols=["streamlit"], timeout=60)
        self.session = self.script = self.query = self.alert = self.opened = ""
        self.page: dict[str, tuple[str, Any, str]] = {}  # widget's id: kind, widget, fragment
        self.values: dict[str, Any] = {}
        self.refresh()

    def refresh(self) -> None:
        self.page.clear()
        self.act()

    def act(self, element: Any = None, fragment: str = "", **trigger: Any) -> None:
        for _ in self.run(element, fragment, **trigger):
            pass

    def run(self, element: Any = None, fragment: str = "", **trigger: Any) -> Iterator[tuple[str, str]]:
        """Send what a widget was made to do; yield each text, and reruns, until the script has finished."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = self.query, self.script, fragment
        state.widget_states.widgets.extend(self.values.values())
        if element is not None:
            state.widget_states.widgets.append(WidgetState(id=element.id, **trigger))
        self.alert = ""
        self.socket.send_binary(message.SerializeToString())
        while True:
            news = ForwardMsg.FromString(self.socket.recv())
            kind = news.WhichOneof("type")
            if kind == "new_session":
                self.session = news.new_session.initialize.session_id or self.session
                self.script = news.new_session.page_script_hash
            elif kind == "page_info_changed":
                self.query = news.page_info_changed.query_string
            elif kind == "delta" and news.delta.WhichOneof("type") == "new_element":
                shown = news.delta.new_element
                self.keep(shown, news.delta.fragment_id)
                if (what := shown.WhichOneof("type")) in ("text", "markdown"):
                    yield what, getattr(shown, what).body
            elif kind == "script_finished":
                if news.script_finished != ENDED_FOR_RERUN:
                    return
                yield "rerun", ""

    def keep(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        widget = getattr(element, kind)
        if kind == "alert":
            self.alert = widget.body
        elif kind == "exception":
            raise RuntimeError(widget.message)
        elif kind in KINDS:
            self.page.pop(widget.id, None)  # the last one sent comes last
            self.page[widget.id] = kind, widget, fragment

    def all(self, kind: str) -> list[tuple[Any, str]]:
        return [(widget, fragment) for is_kind, widget, fragment in self.page.values() if is_kind == kind]

    def find(self, kind: str, label: str = "") -> tuple[Any, str]:
        return [found for found in self.all(kind) if label in getattr(found[0], "label", "")][-1]

    def fill(self, label: str, text: str) -> None:
        element, _ = self.find("text_input", label)
        self.values[element.id] = WidgetState(id=element.id, string_value=text)

    def click(self, label: str) -> None:
        self.act(*self.find("button", label), trigger_value=True)

    def open(self, conversation: str) -> None:
        if conversation != self.opened:
            button = next(one for one in self.all("button") if one[0].id.endswith(f"-open-{conversation}"))
            self.act(*button, trigger_value=True)
            self.opened = conversation

    def sign_in(self, username: str, password: str) -> None:
        self.fill("Username", username)
        self.fill("Password", password)
        self.click("Sign in")
        if self.alert:
            raise PermissionError(self.alert)
        self.values.clear()
        self.refresh()

    def create(self) -> str:
        self.click("New conversation")
        self.opened = ""
        return ""

    def ask(self, conversation: str, text: str) -> str:
        return "".join(self.stream(conversation, text))

    def stream(self, conversation: str, text: str) -> Iterator[str]:
        self.open(conversation)
        asked, shown, over = False, "", False
        for kind, body in self.run(*self.find("chat_input"), chat_input_value={"data": text}):
            if kind == "rerun":  # the page is drawn again: what was not sent by then comes with it, in its place
                over = asked = bool(shown)
            if kind == "text" and body == text and not over:  # earlier messages are shown again; the answer follows
                asked, shown = True, ""
            elif asked and kind == "markdown" and "Thinking…" not in body and body.startswith(shown):
                yield body[len(shown) :]
                shown = body
        if self.alert:
            raise RuntimeError(self.alert)

    def conversations(self) -> list[tuple[str, str]]:
        self.refresh()
        listed = [(id[1], b.label) for b, _ in self.all("button") if (id := re.search(r"-open-(\d+)$", b.id))]
        return [(number, re.sub(r"\\(.)", r"\1", label)) for number, label in listed]  # labels are Markdown

    def search(self, words: str) -> list[tuple[str, str]]:
        self.fill("Search conversations", words)
        found = self.conversations()
        self.fill("Search conversations", "")
        self.refresh()
        return found

    def manage(self, conversation: str) -> None:
        self.open(conversation)
        self.click("Manage")

    def rename(self, conversation: str, title: str) -> None:
        self.manage(conversation)
        self.fill("Title", title)
        self.click("Rename")

    def export(self, conversation: str) -> str:
        self.manage(conversation)
        file, _ = self.find("download_button", "Export JSON")
        return requests.get(self.address + (file.url or self.deferred(file)), timeout=60).text

    def deferred(self, file: Any) -> str:
        """Have the file made, which older versions did with the page."""
        wanted = BackMsg()
        wanted.backend_operation_request.session_id = self.session
        wanted.backend_operation_request.request_id = file.deferred_file_id
        wanted.backend_operation_request.deferred_file.file_id = file.deferred_file_id
        self.socket.send_binary(wanted.SerializeToString())
        while (news := ForwardMsg.FromString(self.socket.recv())).WhichOneof("type") != "backend_operation_response":
            pass
        return str(news.backend_operation_response.deferred_file.url)

    def delete(self, conversation: str) -> None:
        self.manage(conversation)
        self.click("Delete for good")

    def feedback(self, conversation: str, value: str) -> None:
        self.open(conversation)
        choice = ("down", "up").index(value)
        if self.all("feedback"):
            self.act(*self.find("feedback"), string_value=str(choice))
        else:  # in older versions it is a group of buttons, thumbs up first
            self.act(*self.find("button_group"), int_array_value={"data": [1 - choice]})
