"""A person's journey through a chatbot from end to end, each step checked against the contract."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from playwright.sync_api import Error

from harness.probes.browser.person import MESSAGES, Person
from harness.probes.world import Message
from harness.records import AnswerPlan, Distribution

TOKENS, ITL_S = 40, 0.05
ANSWER = AnswerPlan(ttft_s=Distribution(median=0.2), itl_s=ITL_S, tokens=Distribution(median=TOKENS))
USERNAME = "user0041"
QUESTION = "Do these parts fit together?"
STREAMED_SHARE = 0.25  # of the time the model takes from first token to last: a busy machine may start late
FEWEST_STAGES = 3  # lengths an answer has to go through on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a journey: what was tried, how long it took, and what was seen instead where it failed."""

    name: str
    passed: bool
    duration_s: float
    seen: str


class Journey:
    """One person's way through a chatbot; a step that fails ends it, for the next ones rest on it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.words = person.message(QUESTION)
        self.markdown = person.message("Show me a table.", payload="markdown", ttft_s=0.1, itl_s=0.002)
        self.title = f"Renamed {self.words.tag}"

    def walk(self, tell: Callable[[str], None] = lambda name: None) -> list[Step]:
        """Take all steps up to the first that fails, then look back at what the browser noted meanwhile."""
        taken: list[Step] = []
        for name, act in STEPS:
            tell(name)
            taken.append(_taken(name, lambda act=act: act(self)))  # type: ignore[misc]  # bound now, run now
            if not taken[-1].passed:
                break
        return taken + [_taken(name, lambda look=look: look(self)) for name, look in LOOKING_BACK]  # type: ignore[misc]

    def sign_in(self) -> None:
        """Sign in with name and password."""
        self.person.sign_in(USERNAME)

    def ask(self) -> None:
        """Ask in a new conversation, and see the answer grow to its end marker."""
        self.person.new_conversation()
        self.person.say(self.words)
        times, lengths = self.person.watch.shown(self.words.nonce)
        took_s, least_s = times.last_s - times.first_s, STREAMED_SHARE * (TOKENS - 1) * ITL_S
        grew = len(set(lengths)) >= FEWEST_STAGES and all(a < b for a, b in pairwise(lengths))
        _claim(grew and took_s > least_s, f"the answer came in {len(set(lengths))} stages within {took_s:.2f} s")
        self.person.answer(self.words)

    def read_markdown(self) -> None:
        """Ask for Markdown, and see it rendered."""
        self.person.say(self.markdown)
        answer = self.person.answer(self.markdown)
        for rendered in (answer.get_by_role("table"), answer.locator("strong"), answer.locator("pre")):
            rendered.first.wait_for()

    def reload(self) -> None:
        """Load the page again, and find question and answers."""
        self.person.reload()
        for message in (self.words, self.markdown):
            self.person.answer(message)
        self.person.page.locator(MESSAGES).filter(has_text=QUESTION).first.wait_for()

    def rename(self) -> None:
        """Give the conversation another title."""
        self.person.rename(self.title)

    def export_json(self) -> None:
        """Get the conversation as JSON."""
        content = self.person.export("json")
        try:
            json.loads(content)
        except ValueError as error:
            raise AssertionError(f"what was downloaded is no JSON: {error}") from error
        _claim_whole(content.decode(), (self.words, self.markdown))

    def export_markdown(self) -> None:
        """Get the conversation as Markdown."""
        text = self.person.export("markdown").decode()
        _claim(self.title in text, f"the title is not in {text[:80]!r}")
        _claim_whole(text, (self.words, self.markdown))

    def delete(self) -> None:
        """Delete the conversation, and find it gone after a reload too."""
        self.person.delete()
        self.person.conversation(self.title).wait_for(state="hidden")
        # the page leaves a moment later; loaded again before, it would ask for what is gone
        self.person.page.get_by_role("heading", name=self.title).wait_for(state="hidden")
        self.person.reload()
        self.person.conversation("Conversation 10").wait_for()
        self.person.conversation(self.title).wait_for(state="hidden")

    def console(self) -> None:
        """Find no error in the page's console."""
        _claim(not self.person.watch.errors, "; ".join(self.person.watch.errors[:3]))

    def own_origin(self) -> None:
        """Find no request to another origin."""
        foreign = self.person.watch.foreign_requests()
        _claim(not foreign, "; ".join(foreign[:3]))
        _claim(bool(self.person.watch.requested), "the browser noted no request at all")


STEPS: tuple[tuple[str, Callable[[Journey], None]], ...] = (
    ("sign in with the form", Journey.sign_in),
    ("ask in a new conversation, see the answer grow", Journey.ask),
    ("see Markdown rendered", Journey.read_markdown),
    ("reload and find it", Journey.reload),
    ("rename", Journey.rename),
    ("export as JSON", Journey.export_json),
    ("export as Markdown", Journey.export_markdown),
    ("delete", Journey.delete),
)
LOOKING_BACK: tuple[tuple[str, Callable[[Journey], None]], ...] = (
    ("no error in the console", Journey.console),
    ("no request to another origin", Journey.own_origin),
)


def _taken(name: str, act: Callable[[], None]) -> Step:
    begun_s = time.monotonic()
    try:
        act()
    except (AssertionError, Error) as error:
        seen = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        return Step(name=name, passed=False, duration_s=time.monotonic() - begun_s, seen=seen)
    return Step(name=name, passed=True, duration_s=time.monotonic() - begun_s, seen="")


def _claim(good: bool, seen: str) -> None:
    if not good:
        raise AssertionError(seen)


def _claim_whole(text: str, messages: tuple[Message, ...]) -> None:
    for message in messages:
        _claim(message.tag in text, f"the export lacks the question {message.tag}")
        _claim(message.nonce in text, f"the export lacks the answer {message.nonce}")
    _claim(text.count("[end]") >= len(messages), "an answer in the export lacks its end")
