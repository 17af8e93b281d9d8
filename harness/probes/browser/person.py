"""A person at a chatbot's page: the same acts in every front end, found by the roles and labels of the contract.

Where a build words a control differently, its word stands beside the contract's; nothing asks which build it is.
"""

import re
import urllib.parse
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

from harness.probes.browser.watching import Watch
from harness.probes.world import Message
from harness.records.recipe import PASSWORD, session_token

PATIENCE_MS = 60_000  # a busy machine takes its time
MESSAGES = "[data-testid=stChatMessage], [role=article], article"
SESSION_COOKIES = ("sessionid", "chat_session")  # REST builds and Streamlit; each leaves the other's alone
OPTIONS = re.compile(r"Conversation options$|Manage$")
STOP = re.compile(r"^Stop( script)?$")
RETRY = re.compile(r"Retry$|Try again$")
EXPORTS = {"json": re.compile(r"Export (as )?JSON$"), "markdown": re.compile(r"Export (as )?Markdown$")}


class Person:
    """Somebody with a page open."""

    def __init__(self, page: Page, base_url: str, seed: int, patience_ms: float = PATIENCE_MS) -> None:
        self.page, self.base_url, self.seed, self.patience_ms = page, base_url, seed, patience_ms
        self.any_box = False  # its page has no text box of the contract's name: any other one is taken
        self.watch = Watch(page)
        page.set_default_timeout(patience_ms)

    def message(self, text: str = "What is known of this?", **options: object) -> Message:
        """Return a message whose answer can be recognised."""
        return Message(self.seed, text, **options)

    def sign_in(self, username: str) -> None:
        """Sign in with the form."""
        self.page.goto(self.base_url)
        self.page.get_by_role("textbox", name="Username").fill(username)
        self.page.get_by_role("textbox", name="Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.message_box()

    def arrive_signed_in(self, username: str, path: str = "") -> None:
        """Open the page with the seeded session's cookie."""
        host = urllib.parse.urlsplit(self.base_url).hostname or ""
        token = session_token(self.seed, username)
        self.page.context.add_cookies(
            [{"name": name, "value": token, "domain": host, "path": "/"} for name in SESSION_COOKIES]
        )
        self.page.goto(self.base_url + path)
        if not path:  # in somebody else's conversation there may be nothing to type into
            self.message_box()

    def new_conversation(self) -> None:
        """Begin a conversation."""
        self.page.get_by_role("button", name="New conversation").first.click()
        self.message_box()

    def say(self, message: Message) -> None:
        """Type a message and send it, once the answer before it is over."""
        box = self.message_box()
        self.watch.await_answer(message.nonce)
        box.fill(message.content)
        expect(self.page.get_by_role("button", name=STOP)).to_have_count(0, timeout=self.patience_ms)
        box.press("Enter")

    def answer(self, message: Message) -> Locator:
        """Return the answer to a message, once it is on the page from its first token to its last."""
        found = self.page.locator(MESSAGES).filter(has_text=message.nonce).filter(has_text="[end]").last
        expect(found).to_be_visible(timeout=self.patience_ms)
        return found

    def question(self, number: int, ending: str) -> str:
        """Return the text of the conversation's question of this number, unfolded where the page folds long ones."""
        message = self.page.locator(MESSAGES).nth(2 * number)
        unfold = message.get_by_role("button", name="Show all")
        unfold.or_(message.get_by_text(ending)).first.wait_for()
        if unfold.is_visible():
            unfold.click()
        expect(message).to_contain_text(ending, timeout=self.patience_ms)
        return message.text_content() or ""

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self.message_box()

    def message_box(self) -> Locator:
        """Return the box that messages are typed into, once it can be."""
        try:
            expect(self.box()).to_be_editable(timeout=self.patience_ms)
        except AssertionError:
            if self.any_box or self.box().count() or not self.page.get_by_role("textbox").count():
                raise
            if self.page.locator("input[type=password]").count():  # nobody is signed in: no box takes messages
                raise
            self.any_box = True
            expect(self.box()).to_be_editable(timeout=self.patience_ms)
        return self.box()

    def box(self) -> Locator:
        """Return the text box named as the contract says; on a page without it the last one there is."""
        named = self.page.get_by_role("textbox", name="Message", exact=True)
        return self.page.get_by_role("textbox").last if self.any_box and not named.count() else named

    def conversation(self, title: str) -> Locator:
        """Return a conversation in the list beside the chat."""
        return self.page.get_by_role("link", name=title).or_(self.page.get_by_role("button", name=title)).first

    def retry(self) -> Locator:
        """Return the control that asks once more for what failed."""
        return self.page.get_by_role("button", name=RETRY).last

    def rename(self, title: str) -> None:
        """Give the open conversation another title, and see it at the head of the page and in the list."""
        self.retitle(title)
        self.page.get_by_role("heading", name=title).wait_for()
        self.conversation(title).wait_for()

    def retitle(self, title: str) -> None:
        """Give the open conversation another title; the page is not checked for it."""
        box = self.page.get_by_role("textbox", name="Title", exact=True)
        rename = self.page.get_by_role("button", name="Rename")
        self._open_options(box.or_(rename).first)
        if not box.is_visible():
            rename.first.click()
        box.fill(title)
        box.press("Enter")

    def export(self, form: str) -> bytes:
        """Return what a person gets who downloads the open conversation as ``json`` or ``markdown``."""
        name = EXPORTS[form]
        control = self.page.get_by_role("link", name=name).or_(self.page.get_by_role("button", name=name))
        self._open_options(control)
        with self.page.expect_download() as started:
            control.click()
        download: Download = started.value
        return Path(download.path()).read_bytes()

    def delete(self) -> None:
        """Delete the open conversation, past the question whether that is meant."""
        control = self.page.get_by_role("button", name=re.compile(r"Delete$")).first
        self._open_options(control)
        control.click()
        asked = self.page.get_by_role("alertdialog").get_by_role("button", name="Delete", exact=True)
        asked.or_(self.page.get_by_role("button", name="Delete for good")).click()

    def search(self, words: str) -> None:
        """Look for conversations by words of their titles."""
        box = self.page.get_by_label("Search conversations")
        box.fill(words)
        box.press("Enter")

    def tab_to(self, control: Locator, most: int = 40) -> None:
        """Press Tab until a control has the focus.

        Raises:
            AssertionError: it cannot be reached.
        """
        for _ in range(most):
            if control.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{most} times Tab do not lead to {control}")

    def _open_options(self, wanted: Locator) -> None:
        """Open what can be done with a conversation, unless a control of it is there already."""
        if not wanted.is_visible():
            self.page.get_by_role("button", name=OPTIONS).first.click()
        wanted.wait_for()
