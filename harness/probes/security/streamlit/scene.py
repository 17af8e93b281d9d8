"""The actors of the Streamlit probes: people with open pages, a conversation to keep from others, widgets' ids."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from harness.probes.claims import expect
from harness.probes.security.streamlit.wire import Messages, Session, Shown
from harness.probes.world import Message
from harness.records.recipe import PASSWORD, session_token

OWNER, OTHER, LEAVER, FORGETTER, WRITER = "user0041", "user0042", "user0043", "user0044", "user0045"
GUESSED, FORGOT = "user0047", "user0048"  # at whose names is guessed: nobody else's, also where the API is tried too
GONE = ("gone",)  # what is seen of a conversation that was deleted


class Stage:
    """A running target and the people of the audit."""

    def __init__(self, base_url: str, *, seed: int, messages: Messages) -> None:
        self.base_url, self.seed, self.messages = base_url, seed, messages
        self.secret = f"kept{secrets.token_hex(6)}"  # without what Markdown would escape

    def open(self, username: str | None = None, *, query: str = "", cookie: str | None = None) -> Session:
        """Return a page, to be opened by a ``with`` block, with a seeded person's session, another cookie, or none."""
        given = session_token(self.seed, username) if username else cookie
        return Session(base_url=self.base_url, messages=self.messages, cookie=given, query=query)

    def message(self, text: str, *, tokens: int = 4) -> str:
        """Return a message that the model answers at once."""
        return Message(self.seed, text, tokens=tokens, ttft_s=0, itl_s=0).content

    def begin(self, page: Session, text: str) -> str:
        """Begin a conversation with a message and return its number."""
        page.click(page.find("button", "New conversation"))
        page.send(self.message(text))
        expect(not page.errors, f"the page shows an exception: {page.errors}")
        return page.conversation()

    @cached_property
    def kept(self) -> "Kept":
        """A conversation of the owner's with one answer, and the ids of all widgets that act on it."""
        return self.keep()

    def keep(self) -> "Kept":
        """Make such a conversation."""
        with self.open(OWNER) as page:
            return Kept(self, page, self.begin(page, f"My number is {self.secret}."))

    def sign_in(self, page: Session, username: str, password: str = PASSWORD) -> None:
        """Fill in the sign-in form and send it."""
        name, word = page.find("text_input", "Username"), page.find("text_input", "Password")
        states = (page.state(name.id, string_value=username), page.state(word.id, string_value=password))
        page.click(page.find("button", "Sign in"), *states)

    @contextmanager
    def users_page(self, search: str) -> Iterator[Session]:
        """Give the admin's page of users, searched."""
        with self.open("admin") as page:
            page.run(script=page.pages["users"])
            box = page.find("text_input", "Search users")
            page.run(page.state(box.id, string_value=search))
            yield page

    def user(self, username: str) -> tuple[str, bool]:
        """Return a user's role, and whether the user is active, as the admin's page shows them."""
        with self.users_page(username) as page:
            role, active = page.find("selectbox", username), page.find("checkbox", "Active")
            return role.element.options[role.element.default], bool(active.element.default)

    def set_active(self, username: str, active: bool) -> None:
        """Let a user in or keep the user out, as the admin does it."""
        with self.users_page(username) as page:
            toggle = page.find("checkbox", "Active")
            if bool(toggle.element.default) != active:
                page.run(page.state(toggle.id, bool_value=active))
        expect(self.user(username)[1] == active, f"{username} is not {'active' if active else 'deactivated'} now")


class Kept:
    """A conversation with the ids that its owner's, a moderator's and an admin's pages name for acting on it."""

    def __init__(self, stage: Stage, page: Session, number: str) -> None:
        self._stage, self.number = stage, number
        page.run()
        self.open_button = page.find("button", key=f"-open-{number}")
        self.chat_input = page.find("chat_input")
        ratings = [one for one in page.page if "-feedback-" in one.id]
        expect(bool(ratings), "no answer to rate on the page")
        self.rating = ratings[-1]
        self.answer = self.rating.id.rpartition("-feedback-")[2]
        page.click(page.find("button", "Manage"))
        self.title = page.find("text_input", "Title")
        self.rename: Shown = page.find("button", "Rename")
        self.delete: Shown = page.find("button", "Delete for good")
        with stage.open("moderator", query=self.query) as judging:
            self.moderation = judging.pages.get("moderation", "")  # "": answers are hidden where they are read
            self.newest(judging)
            self.hide: Shown = judging.find("button", key=f"hide-{self.answer}")
        with stage.users_page(LEAVER) as ruling:
            self.users = ruling.pages["users"]
            self.role: Shown = ruling.find("selectbox", LEAVER)
            self.active: Shown = ruling.find("checkbox", "Active")

    def state(self) -> tuple[str, ...]:
        """Return the conversation as its owner sees it: title, texts, ratings; ``GONE`` where it is not listed."""
        with self._stage.open(OWNER, query=self.query) as page:
            if not page.has("button", key=f"-open-{self.number}"):
                return GONE
            title = page.find("button", key=f"-open-{self.number}").label
            texts = [one.label for one in page.page if one.kind in ("text", "markdown")]
            ratings = [_rating(one) for one in page.page if "-feedback-" in one.id]
        return (title, *texts, *ratings)

    @property
    def query(self) -> str:
        """The query of the page's address while it is open."""
        return f"conversation={self.number}"

    def afresh(self, page: Session) -> Session:
        """Return another page of the same person's, opened at the conversation's address by a ``with`` block."""
        return self._stage.open(cookie=page.cookie, query=self.query)

    def newest(self, page: Session) -> None:
        """Have a moderator's page show the newest answers, where there is a page for that."""
        if not self.moderation:
            return
        page.run(script=self.moderation)
        page.run(_choice(page, page.find("button_group"), "Newest"))


def _rating(shown: Shown) -> str:
    """Return how an answer is rated: a feedback widget's default today, the chosen one of some buttons before."""
    if shown.kind == "feedback":
        return f"rated {shown.element.default}" if shown.element.HasField("default") else "not rated"
    chosen = shown.element.value if shown.element.set_value else shown.element.default
    return f"rated {chosen[0]}" if chosen else "not rated"


def _choice(page: Session, group: Shown, label: str) -> object:
    """Return the state of a segmented control with this choice; newer versions name it, older ones number it."""
    fields = page.messages.state.DESCRIPTOR.fields_by_name
    options = [one.content for one in group.element.options]
    if "string_array_value" in fields and hasattr(group.element, "raw_values"):
        return page.state(group.id, string_array_value={"data": [label]})
    return page.state(group.id, int_array_value={"data": [options.index(label)]})
