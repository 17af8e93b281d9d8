"""The worked example's own user class: it sees what a browser sees, and takes no lost or cut answer for a whole one."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Request

from harness import results
from harness.probes.browser.person import Person
from harness.probes.world import Message
from harness.records import Turn
from loadtests.page import Page, Visitor
from loadtests.reading import Reading, TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.users.choose import page_class
from tests.e2e.conftest import ANSWER, SEED, Running

pytestmark = pytest.mark.browser

TURNS = 4


@pytest.fixture
def gradio(started: Callable[[str], Running]) -> Running:
    return started("gradio")


@pytest.fixture
def page(gradio: Running) -> Iterator[Page]:
    """A virtual user's page, of the class that the part brings."""
    target = gradio.prepared.target
    visitor = Visitor(number=0, base_url=gradio.base_url, username="user0001", session="")
    one = page_class(target.protocol, target.user_class)(visitor)
    yield one
    one.close()


def take_turn(page: Page, turn: int, options: str = "") -> Turn:
    """Hold one turn as a trial would, with options for the model behind the message's tag."""
    pending = new_turn(SEED, 999, int(time.time()), turn, 0.0, page)
    page.prepare()
    pending.trace = trace = page.new_trace(time.monotonic())
    pending.phase = "measure"
    kind = error = None
    try:
        page.ask(f"What is known of this? tag-{pending.tag}{options}", pending.nonce, trace)
    except TurnError as problem:
        kind, error = problem.kind, problem.message
    return turn_of(note_of(pending, trace, "failed" if kind else "ok", kind, error), trace.raw())


def emitted(log: Path, tag: str) -> tuple[float, float]:
    """Return when the model sent an answer's first and last token."""
    deadline_s = time.monotonic() + 10
    while tag not in (found := {one.tag: one for one in results.read_emissions(log)}):
        assert time.monotonic() < deadline_s, f"the model's log lacks {tag}"
        time.sleep(0.1)
    one = found[tag]
    return one.request_s + one.emit_s[0], one.request_s + one.emit_s[-1]


def test_browser_and_user_class_see_the_same_answers(
    gradio: Running, page: Page, browser: Browser, note_delay: Callable[[str], None]
) -> None:
    context = browser.new_context()
    person = Person(context.new_page(), gradio.base_url, SEED)
    person.page.goto(gradio.base_url)
    delays: dict[str, list[float]] = {name: [] for name in ("user", "network", "page")}
    for number in range(TURNS):
        turn = take_turn(page, number)
        assert (turn.outcome, turn.error) == ("ok", None)
        assert turn.arrival_tokens[-1] == ANSWER.tokens.median
        message: Message = person.message()
        person.say(message)
        shown, _ = person.watch.shown(message.nonce)
        framed = person.watch.framed(message.nonce)
        begun, ended = emitted(gradio.model_log, turn.tag)
        assert turn.first_s is not None
        assert turn.last_s is not None
        assert begun <= turn.first_s + 0.002
        assert ended <= turn.last_s + 0.002
        seen_begun, seen_ended = emitted(gradio.model_log, message.tag)
        assert seen_begun <= framed.first_s + 0.002
        assert seen_ended <= framed.last_s + 0.002
        delays["user"].append(turn.last_s - ended)
        delays["network"].append(framed.last_s - seen_ended)
        delays["page"].append(shown.last_s - seen_ended)
    user_ms, network_ms, page_ms = (sorted(values)[len(values) // 2] * 1000 for values in delays.values())
    note_delay(
        f"{'gradio':15} 1 browser(s)  last token   protocol-level user {user_ms:6.1f}  "
        f"browser's network event {network_ms:6.1f}  page {page_ms:6.1f}"
    )
    assert person.watch.errors == []
    context.close()


def test_the_page_sends_what_the_user_class_sends(gradio: Running, page: Page, browser: Browser) -> None:
    context = browser.new_context()
    person = Person(context.new_page(), gradio.base_url, SEED)
    joined: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if "/queue/join" in request.url:
            joined.append(json.loads(request.post_data or ""))

    person.page.on("request", note)
    person.page.goto(gradio.base_url)
    for _ in range(2):
        message = person.message()
        person.say(message)
        person.watch.shown(message.nonce)
    context.close()
    page.prepare()
    ours = page._event("answer", ["text", []])
    assert len(joined) == 2, "one event for each message"
    for sent in joined:
        assert set(sent) == set(ours)
        assert [sent[key] for key in ("fn_index", "trigger_id")] == [ours[key] for key in ("fn_index", "trigger_id")]
    take_turn(page, 0)
    chat = joined[1]["data"][1]  # the first turn is sent along with the second
    assert [sorted(message) for message in chat] == [sorted(message) for message in page._chat]


@pytest.mark.parametrize("fault", ["disconnect", "500", "429"])
def test_an_answer_that_the_model_cuts_or_refuses_fails_the_turn(page: Page, fault: str) -> None:
    turn = take_turn(page, 0, f"?fault={fault}")
    assert (turn.outcome, turn.error_kind) == ("failed", "application")
    assert "The language model" in str(turn.error)
    assert take_turn(page, 1).outcome == "ok"


def test_a_stream_that_ends_early_is_truncated(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.prepare()
    connection = page._connection
    whole = connection.pieces

    def cut(request: bytes, reading: Reading) -> Iterator[bytes]:
        for number, piece in enumerate(whole(request, reading)):
            if number == 8:
                connection.close()
                return
            yield piece

    monkeypatch.setattr(connection, "pieces", cut)
    turn = take_turn(page, 0)
    assert (turn.outcome, turn.error_kind) == ("failed", "truncated")
