"""A person at a chatbot's page: the same acts in every front end, found by their roles and labels."""

import urllib.parse
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from harness.conformance.world import PASSWORD, Message, session_token
from tests.e2e.watching import Watch

PATIENCE_MS = 30_000
MESSAGES = "[data-testid=stChatMessage], [role=article], article"


class FrontEnd(Protocol):
    """Where front ends differ."""

    cookie: str

    def send(self, page: Page) -> None:
        """Send what was typed."""


class Streamlit:
    """Streamlit's own chat input: Enter sends."""

    cookie = "chat_session"

    def send(self, page: Page) -> None:
        """Press Enter."""
        page.get_by_role("textbox", name="Message").press("Enter")


class Angular:
    """A form with a button."""

    cookie = "sessionid"

    def send(self, page: Page) -> None:
        """Click the button."""
        page.get_by_role("button", name="Send").click()


FRONT_ENDS: dict[str, FrontEnd] = {"streamlit": Streamlit(), "django+angular": Angular()}


class Person:
    """Somebody with a page open."""

    def __init__(self, page: Page, front_end: FrontEnd, base_url: str, seed: int) -> None:
        self.page, self.front_end, self.base_url, self.seed = page, front_end, base_url, seed
        self.watch = Watch(page)
        page.set_default_timeout(PATIENCE_MS)

    def message(self, text: str = "What is known of this?", **options: object) -> Message:
        """Return a message whose answer can be recognised."""
        return Message(self.seed, text, **options)

    def sign_in(self, username: str) -> None:
        """Sign in with the form."""
        self.page.goto(self.base_url)
        self.page.get_by_role("textbox", name="Username").fill(username)
        self.page.get_by_role("textbox", name="Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self._message_box()

    def arrive_signed_in(self, username: str) -> None:
        """Open the page with the seeded session's cookie."""
        host = urllib.parse.urlsplit(self.base_url).hostname or ""
        token = session_token(self.seed, username)
        self.page.context.add_cookies([{"name": self.front_end.cookie, "value": token, "domain": host, "path": "/"}])
        self.page.goto(self.base_url)
        self._message_box()

    def new_conversation(self) -> None:
        """Begin a conversation."""
        self.page.get_by_role("button", name="New conversation").first.click()
        self._message_box()

    def say(self, message: Message) -> None:
        """Type a message and send it."""
        box = self._message_box()
        self.watch.await_answer(message.nonce)
        box.fill(message.content)
        self.front_end.send(self.page)

    def answer(self, message: Message) -> Locator:
        """Return the answer to a message, once it is on the page from its first token to its last."""
        found = self.page.locator(MESSAGES).filter(has_text=message.nonce).filter(has_text="[end]").last
        expect(found).to_be_visible(timeout=PATIENCE_MS)
        return found

    def first_message(self, ending: str) -> str:
        """Return the text of the conversation's first message, unfolded where the page folds long ones."""
        message = self.page.locator(MESSAGES).first
        unfold = message.get_by_role("button", name="Show all")
        unfold.or_(message.get_by_text(ending)).first.wait_for()
        if unfold.is_visible():
            unfold.click()
        expect(message).to_contain_text(ending)
        return message.text_content() or ""

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self._message_box()

    def _message_box(self) -> Locator:
        box = self.page.get_by_role("textbox", name="Message", exact=True)
        expect(box).to_be_editable(timeout=PATIENCE_MS)
        return box
