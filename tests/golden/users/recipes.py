"""The user classes of docs/user-class.md, as they stand there."""

from loadtests.reading import Reading
from loadtests.users.socket_io import SocketIOPage
from loadtests.users.streamlit import StreamlitPage


class AfterAForm(StreamlitPage):
    def enter(self) -> None:
        self.fill("Your name", self.visitor.username)
        self.press("Start")


class AskByForm(StreamlitPage):
    message_box = "Your question"
    send_button = "Ask"


class EventsPage(SocketIOPage):
    socket_path = "/ws/socket.io/"

    def connect(self) -> None:
        self.open_socket(auth={"session": self.visitor.session})

    def new_conversation(self) -> None:
        self.call("new", {"title": "Chat"})

    def ask(self, text: str, nonce: str, reading: Reading) -> None:
        self.emit("message", {"content": text})
        said = ""
        for name, values in self.events(reading):
            if name == "token":
                said += values[0]
                reading.saw(said)
            elif name == "done":
                reading.finish()
                return
