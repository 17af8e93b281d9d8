"""The page of one virtual user; a target's own ``user.py`` implements this class too.

A page's methods run in one user's greenlet, so plain blocking calls are right. docs/your-own.md shows an example.
A ``user.py`` may import this module (``Page``, ``Visitor``, ``sleep_until``), ``loadtests.reading`` (``Reading``,
``TurnError``, ``SignInError``), and for HTTP ``loadtests.connection`` (``Connection``, ``endpoint``) with
``loadtests.http`` (``request``, ``Response``). It may extend ``StreamlitPage`` of ``loadtests.users.streamlit`` and
``SocketIOPage`` of ``loadtests.users.socket_io``, or use the ``WebSocket`` of ``loadtests.users.websocket``. The rest
of the package may change. A user class:

    from loadtests.page import Page, Visitor
    from loadtests.reading import Reading, TurnError

    class MyPage(Page):
        def connect(self) -> None: ...                 # open the page, with self.visitor's session
        def new_conversation(self) -> None: ...        # start an empty conversation
        def ask(self, text: str, nonce: str, reading: Reading) -> None:
            ...                                        # send text; for each update: reading.saw(answer_so_far)
            reading.finish()                           # the protocol says that the answer is over

Any exception fails the turn and is recorded with it. ``TurnError(kind, message)`` names the kind of failure.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from loadtests.reading import AnswerTrace, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The user of a page: the page's address, the account, and the session signed in beforehand."""

    number: int
    base_url: str
    username: str
    session: str
    streamlit_site: str | None = None


def sleep_until(until_s: float) -> None:
    """Sleep until a time of the monotonic clock."""
    while (left_s := until_s - time.monotonic()) > 0:
        time.sleep(left_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLoad:
    """The cost of opening a page: requests, and bytes of their bodies as received (compressed or not)."""

    requests: int
    body_bytes: int

    def plus(self, body: bytes) -> "PageLoad":
        """Return this and one more request."""
        return PageLoad(requests=self.requests + 1, body_bytes=self.body_bytes + len(body))


class NotOfferedError(Exception):
    """A page class lacks this method; the scenario that needs it is not measured."""


class Page(ABC):
    """One open page of a chatbot."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.connected = False
        self.in_conversation = False

    @abstractmethod
    def connect(self) -> None:
        """Open the page as a browser would, signed in.

        Raises:
            TurnError, OSError: it does not come up; SignInError: the session is not taken.
        """

    @abstractmethod
    def new_conversation(self) -> None:
        """Start an empty conversation; the next message belongs to it."""

    @abstractmethod
    def ask(self, text: str, nonce: str, reading: Any) -> None:
        """Send ``text`` and read the answer, which starts with ``nonce``, to its end.

        ``reading`` is the trace that ``new_trace`` returned for this turn.
        """

    def new_trace(self, sent_s: float) -> AnswerTrace:
        """Return the trace of a turn sent at ``sent_s``: one that is told the answer each time it has grown."""
        return Reading(sent_s)

    def open_page(self) -> PageLoad:
        """Fetch the page and its files over a fresh connection, as a first visit does; optional.

        Raises:
            NotOfferedError: the class has none; TurnError, OSError: it does not come.
        """
        raise NotOfferedError(f"{type(self).__name__} has no method open_page")

    def sign_in(self, password: str) -> None:
        """Sign in with a password on the page just opened, to the state that ``connect`` leads to; optional.

        Raises:
            NotOfferedError: the class has none; SignInError: it is refused; TurnError, OSError: it does not come.
        """
        raise NotOfferedError(f"{type(self).__name__} has no method sign_in")

    def prepare(self) -> None:
        """Make the page ready for a message: connected, in a conversation."""
        if not self.connected:
            self.connect()
            self.connected = True
        if not self.in_conversation:
            self.new_conversation()
            self.in_conversation = True

    def idle(self, until_s: float) -> bool:
        """Return whether the page was busy (connecting again) at ``until_s``, so that the user had to wait.

        Until then do nothing, as an open page does. A page that must answer pings overrides this.
        """
        sleep_until(until_s)
        return False

    def abort(self) -> None:
        """Cut the turn under way; called from outside when it is overdue. A page with a socket overrides this."""
        self.connected = False

    def close(self) -> None:
        """Leave the page; the next ``prepare`` connects again."""
        self.connected = False
