"""The REST, forms and OpenAI users against a server of known timing: what is recorded is what happened."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness.records import Turn
from loadtests.page import Page, Visitor
from loadtests.reading import SignInError, TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.schedule.draws import message
from loadtests.users.forms import FormsPage
from loadtests.users.openai import OpenAIPage
from loadtests.users.rest import RestPage
from tests.golden.users.twin import SEED, Script, Twin, running

Visit = Callable[..., Page]
SLACK_S = 0.25  # what a busy machine may add; lower bounds are strict
EARLY_S = 0.002  # two clocks readings on either side of a write


@pytest.fixture
def twin() -> Iterator[Twin]:
    with running() as server:
        yield server


@pytest.fixture
def visit(twin: Twin) -> Iterator[Callable[..., Page]]:
    with ExitStack() as pages:

        def open_page(protocol: type[Page] = RestPage) -> Page:
            page = protocol(Visitor(number=0, base_url=twin.url, username="user0001", session="s" * 32))
            pages.callback(page.close)
            return page

        yield open_page


def take_turn(page: Page, turn: int = 0) -> Turn:
    """What the scenario does for one turn, in this thread."""
    pending = new_turn(SEED, 0, 0, turn, 0.0, page)
    page.prepare()
    pending.trace = trace = page.new_trace(time.monotonic())
    pending.phase = "measure"
    kind = error = None
    try:
        page.ask(message(70, pending.tag), pending.nonce, trace)
    except TurnError as problem:
        kind, error = problem.kind, problem.message
    except OSError as problem:
        kind, error = "connection", str(problem)
    return turn_of(note_of(pending, trace, "failed" if kind else "ok", kind, error), trace.raw())


@pytest.mark.alone
@pytest.mark.parametrize("protocol", [RestPage, FormsPage, OpenAIPage])
def test_arrivals_are_the_emissions(twin: Twin, visit: Visit, protocol: type[Page]) -> None:
    twin.script = Script(ttft_s=0.1, itl_s=0.03, tokens=12)
    turn = take_turn(visit(protocol))
    sent = twin.sent[turn.tag]
    assert turn.outcome == "ok", turn.error
    assert turn.arrival_tokens[-1] == 12
    assert turn.updates == 12
    assert turn.text_bytes == 13 + 5 * 11
    assert 0 < turn.chunks == len(turn.arrival_s) <= 12
    assert turn.first_s is not None
    assert turn.first_s - turn.sent_s >= 0.1
    arrived_s: list[float] = []  # per token: when the read that brought it arrived
    for at_s, cumulative in zip(turn.arrival_s, turn.arrival_tokens, strict=True):
        arrived_s += [turn.sent_s + at_s] * (cumulative - len(arrived_s))
    for emitted, arrived in zip(sent.tokens_s, arrived_s, strict=True):
        assert emitted - EARLY_S <= arrived <= emitted + SLACK_S
    assert turn.last_s == pytest.approx(turn.sent_s + turn.arrival_s[-1], abs=1e-5)
    assert turn.done_s is not None
    assert turn.last_s is not None
    assert turn.done_s >= turn.last_s
    assert turn.ready_s == turn.done_s
    assert turn.wire_bytes > turn.text_bytes


def test_a_page_keeps_its_connection_its_cookies_and_its_token(twin: Twin, visit: Visit) -> None:
    page = visit()
    take_turn(page, 0)
    take_turn(page, 1)  # that the requests are a web page's: tests/e2e/pages/test_same_requests.py
    assert twin.requests[-2:] == [("POST", "/api/conversations/c-1/messages")] * 2
    assert twin.connections == 1
    assert twin.headers[-1]["accept"] == "text/event-stream"
    assert twin.headers[-1]["x-csrftoken"] == "token-1"
    assert "sessionid=" + "s" * 32 in twin.headers[-1]["cookie"]


def test_forms_carry_the_token_of_the_page_they_stand_on(twin: Twin, visit: Visit) -> None:
    page = visit(FormsPage)
    take_turn(page, 0)
    take_turn(page, 1)
    sent = dict(zip(twin.requests, twin.bodies, strict=True))
    assert twin.connections == 1
    assert sent["POST", "/c"] == b"csrfmiddlewaretoken=listtoken"
    assert twin.requests[-2:] == [("POST", "/c/c-1/messages")] * 2
    assert all(body.startswith(b"csrfmiddlewaretoken=pagetoken&content=") for body in twin.bodies[-2:])
    headers = twin.headers[-1]
    assert (headers["accept"], headers["content-type"]) == ("text/event-stream", "application/x-www-form-urlencoded")
    assert headers["origin"] == twin.url
    assert headers["cookie"] == "sessionid=" + "s" * 32 + "; csrftoken=secret"


def test_a_session_that_leads_to_the_sign_in_form_is_not_taken(twin: Twin, visit: Visit) -> None:
    twin.script = Script(fault="401")
    with pytest.raises(SignInError, match="user0001: HTTP 302"):
        visit(FormsPage).prepare()


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("500", "http", "HTTP 500: it broke on purpose"),
        ("foreign", "foreign_nonce", "0123456789ab"),
        ("truncated", "truncated", "after 5 tokens"),
        ("drop", "truncated", "after 5 tokens"),
        ("error", "application", "the model is away"),
    ],
)
def test_a_fault_behind_forms_is_a_failed_turn_of_its_kind(
    twin: Twin, visit: Visit, fault: str, kind: str, words: str
) -> None:
    twin.script = Script(fault=fault)
    turn = take_turn(visit(FormsPage))
    assert (turn.outcome, turn.error_kind) == ("failed", kind)
    assert words in (turn.error or "")


@pytest.mark.alone
def test_a_stall_is_seen_as_long_as_it_was(twin: Twin, visit: Visit) -> None:
    twin.script = Script(tokens=10, itl_s=0.01, fault="stall", fault_at=5, fault_s=0.4)
    turn = take_turn(visit())
    gaps = [b - a for a, b in zip(turn.arrival_s, turn.arrival_s[1:], strict=False)]
    assert turn.outcome == "ok"
    assert max(gaps) + EARLY_S >= 0.4
    assert max(gaps) <= 0.41 + SLACK_S


def test_an_answer_held_back_arrives_at_once(twin: Twin, visit: Visit) -> None:
    twin.script = Script(tokens=10, fault="buffered")
    turn = take_turn(visit())
    assert turn.outcome == "ok"
    assert turn.arrival_tokens == (10,)
    assert turn.chunks == 1
    assert turn.first_s == turn.last_s
    assert turn.first_s is not None
    assert turn.first_s >= twin.sent[turn.tag].tokens_s[-1] - EARLY_S


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("500", "http", "HTTP 500: it broke on purpose"),
        ("429", "http", "HTTP 429"),
        ("foreign", "foreign_nonce", "0123456789ab"),
        ("truncated", "truncated", "after 5 tokens"),
        ("drop", "truncated", "after 5 tokens"),
        ("error", "application", "the model is away"),
    ],
)
def test_a_fault_is_a_failed_turn_of_its_kind(twin: Twin, visit: Visit, fault: str, kind: str, words: str) -> None:
    twin.script = Script(fault=fault)
    turn = take_turn(visit())
    assert (turn.outcome, turn.error_kind) == ("failed", kind)
    assert words in (turn.error or "")


def test_a_drop_before_the_first_token_is_a_connection_failure(twin: Twin, visit: Visit) -> None:
    twin.script = Script(fault="drop", fault_at=0)
    turn = take_turn(visit())
    assert (turn.outcome, turn.error_kind, turn.first_s, turn.chunks) == ("failed", "connection", None, 0)


def test_a_kept_connection_that_the_server_closed_is_opened_again(twin: Twin, visit: Visit) -> None:
    page = visit()
    twin.script = Script(fault="close-idle", tokens=3, itl_s=0.01)
    turns = [take_turn(page, turn) for turn in range(3)]
    assert [turn.outcome for turn in turns] == ["ok"] * 3
    assert twin.connections > 1


def test_nobody_listening_is_a_connection_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    page = RestPage(Visitor(number=0, base_url=url, username="user0001", session="s"))
    with pytest.raises(ConnectionRefusedError):
        page.prepare()


def test_a_session_that_is_not_taken_fails_the_sign_in(twin: Twin, visit: Visit) -> None:
    twin.script = Script(fault="401")
    with pytest.raises(SignInError, match="user0001: HTTP 401"):
        visit().prepare()


def test_cutting_an_overdue_turn_ends_it(twin: Twin, visit: Visit) -> None:
    twin.script = Script(fault="hang", fault_at=0, fault_s=5.0)
    page = visit()
    page.prepare()
    cut = threading.Timer(0.2, page.abort)
    cut.start()
    turn = take_turn(page)
    cut.join()
    assert (turn.outcome, turn.error_kind) == ("failed", "connection")
