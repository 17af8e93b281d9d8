"""The Streamlit user against a real, small Streamlit app of known timing, in this environment's version and in 1.44.

A process can hold the messages of one version: for 1.44 this file is run once more, in a process of its own.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.environments import Environments
from harness.records import Turn
from harness.records.recipe import nonce_of
from harness.runtimes.local.stack import site_packages
from loadtests.page import Visitor
from loadtests.reading import SignInError, TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.schedule.draws import tag_of
from loadtests.users.streamlit import StreamlitPage
from tests import ROOT
from tests.golden.users.recipes import AfterAForm, AskByForm
from tests.golden.users.trial import plan, run
from tests.golden.users.twin import SEED

TOKENS, TTFT_S, ITL_S = 6, 0.1, 0.1
CLOCK_S = 0.4  # between runs of the fragment that is a clock
SLACK_S = 0.4  # what a busy machine and Streamlit itself may add
APP = Path(__file__).parent / "streamlit_app" / "app.py"
OTHER = "CHATBENCH_TEST_STREAMLIT"  # the Python of another version's environment
PYTHON = Path(os.environ.get(OTHER, sys.executable))
SITE = str(site_packages(PYTHON)) if OTHER in os.environ else None
LAST = "test_all_of_this_holds_for_streamlit_1_44"
Visit = Callable[..., StreamlitPage]


def visitor(url: str, session: str = "s" * 32) -> Visitor:
    return Visitor(number=0, base_url=url, username="user0001", session=session, streamlit_site=SITE)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(PYTHON), "-m", "streamlit", "run", str(APP), "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port), "--browser.gatherUsageStats", "false"]
    command += ["--", str(SEED), str(TOKENS), str(TTFT_S), str(ITL_S)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline_s = time.monotonic() + 30
        while time.monotonic() < deadline_s:
            try:
                urllib.request.urlopen(f"{base}/_stcore/health").close()
                break
            except OSError:
                time.sleep(0.1)
        warm = StreamlitPage(visitor(base))
        take_turn(warm)  # Streamlit imports much of itself with the first streamed answer
        warm.close()
        yield base
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def visit(url: str) -> Iterator[Visit]:
    with ExitStack() as pages:

        def open_page(session: str = "s" * 32, kind: type[StreamlitPage] = StreamlitPage) -> StreamlitPage:
            page = kind(visitor(url, session))
            pages.callback(page.close)
            return page

        yield open_page


def take_turn(page: StreamlitPage, words: str = "hello", turn: int = 0) -> Turn:
    """What the scenario does for one turn, in this thread."""
    pending = new_turn(SEED, 0, 0, turn, 0.0, page)
    page.prepare()
    pending.trace = trace = page.new_trace(time.monotonic())
    pending.phase = "measure"
    kind = error = None
    try:
        page.ask(f"{words} tag-{pending.tag}", pending.nonce, trace)
    except TurnError as problem:
        kind, error = problem.kind, problem.message
    return turn_of(note_of(pending, trace, "failed" if kind else "ok", kind, error), trace.raw())


@pytest.mark.alone
def test_tokens_follow_the_growth_of_the_answer(visit: Visit) -> None:
    turn = take_turn(visit())
    assert turn.outcome == "ok", turn.error
    assert turn.arrival_tokens[-1] == TOKENS
    assert turn.text_bytes == 13 + 5 * (TOKENS - 1)
    assert turn.first_s is not None
    assert turn.last_s is not None
    assert turn.done_s is not None
    assert TTFT_S <= turn.first_s - turn.sent_s <= TTFT_S + SLACK_S
    assert turn.last_s - turn.sent_s >= TTFT_S + ITL_S * (TOKENS - 1)
    assert turn.last_s <= turn.done_s <= turn.last_s + SLACK_S
    assert turn.updates >= turn.chunks > 1
    for at_s, tokens in zip(turn.arrival_s, turn.arrival_tokens, strict=True):
        assert TTFT_S + ITL_S * (tokens - 1) <= at_s <= TTFT_S + ITL_S * (tokens - 1) + SLACK_S


def test_history_drawn_again_is_not_taken_for_the_answer(visit: Visit) -> None:
    page = visit()
    turns = [take_turn(page, turn=turn) for turn in range(3)]
    assert [(turn.outcome, turn.arrival_tokens[-1]) for turn in turns] == [("ok", TOKENS)] * 3
    assert all(turn.arrival_s[0] >= TTFT_S for turn in turns)
    assert turns[2].wire_bytes > turns[0].wire_bytes


def test_a_new_conversation_starts_empty(visit: Visit) -> None:
    page = visit()
    first = take_turn(page)
    page.in_conversation = False
    second = take_turn(page, turn=1)
    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert second.wire_bytes < first.wire_bytes * 1.2


def test_a_script_that_runs_on_is_done_when_it_has_finished(visit: Visit) -> None:
    turn = take_turn(visit(), "slow")
    assert turn.last_s is not None
    assert turn.done_s is not None
    # from when it was sent: on a busy machine the last token may be read late
    assert turn.done_s - turn.sent_s >= TTFT_S + ITL_S * (TOKENS - 1) + 0.5
    assert turn.done_s > turn.last_s


def test_a_rerun_after_the_answer_is_part_of_the_turn(visit: Visit) -> None:
    turn = take_turn(visit(), "again")
    assert turn.outcome == "ok", turn.error
    assert turn.done_s is not None
    assert turn.ready_s is not None
    assert turn.ready_s >= turn.done_s


@pytest.mark.parametrize("words", ["cursor", "cleared", "sources"])
def test_the_answers_last_state_counts_wherever_it_is(visit: Visit, words: str) -> None:
    turn = take_turn(visit(), words)
    assert turn.outcome == "ok", turn.error
    assert turn.arrival_tokens[-1] == TOKENS
    assert turn.text_bytes == 13 + 5 * (TOKENS - 1)
    assert turn.after_bytes == (len("Sources: none") if words == "sources" else 0)
    assert turn.arrival_s[0] < TTFT_S + SLACK_S  # the last piece may be drawn with the history only
    assert turn.arrival_s[-2] < TTFT_S + ITL_S * (TOKENS - 1) + SLACK_S


def ticks(page: StreamlitPage) -> int:
    """The runs of the page's clock so far, as the app counts them."""
    turn = take_turn(page, "ticks", turn=9)
    found = re.match(r"(\d+) ticks", turn.error or "")
    assert found is not None, turn
    return int(found[1])


@pytest.mark.alone
def test_a_fragment_runs_every_so_often_as_in_an_open_page(visit: Visit) -> None:
    page = visit("c" * 32)
    page.prepare()
    before = ticks(page)
    begun_s = time.monotonic()
    page.idle(begun_s + 4 * CLOCK_S)
    idle = ticks(page) - before
    turn = take_turn(page)
    passed_s = time.monotonic() - begun_s
    assert 2 <= idle <= 6
    assert (turn.outcome, turn.arrival_tokens[-1]) == ("ok", TOKENS)
    assert ticks(page) - before <= passed_s / CLOCK_S + 3


def test_a_class_of_ones_own_fills_in_what_comes_before_the_chat(visit: Visit) -> None:
    page = visit("f" * 32, AfterAForm)
    assert take_turn(page).outcome == "ok"
    page.close()
    assert take_turn(page, turn=1).outcome == "ok"


class AskByBox(AskByForm):
    """The text box alone sends a message."""

    send_button = ""


@pytest.mark.parametrize(("session", "kind"), [("q", AskByForm), ("t", AskByBox)])
def test_a_form_or_a_text_box_takes_messages(visit: Visit, session: str, kind: type[StreamlitPage]) -> None:
    page = visit(session * 32, kind)
    turns = [take_turn(page, turn=turn) for turn in range(2)]
    assert [(turn.outcome, turn.arrival_tokens[-1:]) for turn in turns] == [("ok", (TOKENS,))] * 2, turns
    assert all(turn.arrival_s[0] >= TTFT_S + ITL_S * (TOKENS - 1) for turn in turns)
    page.in_conversation = False
    assert take_turn(page, turn=2).outcome == "ok"


def test_a_page_without_chat_input_says_what_is_on_it_and_what_to_do(visit: Visit) -> None:
    words = r"no chat input on the page of user0001; buttons: 'Start'; text inputs: 'Your name'.*extend StreamlitPage"
    with pytest.raises(SignInError, match=words):
        visit("f" * 32).prepare()


def test_a_page_without_the_button_is_opened_anew_for_a_new_conversation(visit: Visit) -> None:
    page = visit("n" * 32)
    first = take_turn(page)
    page.in_conversation = False
    second = take_turn(page, turn=1)
    assert (first.outcome, second.outcome) == ("ok", "ok")
    assert second.wire_bytes < first.wire_bytes * 1.2


def test_a_history_that_outlives_the_page_is_the_users_own(visit: Visit) -> None:
    page = visit("k" * 32)
    first = take_turn(page)
    page.in_conversation = False
    second = take_turn(page, turn=1)
    assert (first.outcome, second.outcome) == ("ok", "ok"), second.error
    assert second.wire_bytes > first.wire_bytes


def test_a_time_stamp_before_an_answer_is_no_other_users_mark(visit: Visit) -> None:
    page = visit()
    turns = [take_turn(page, "stamped", turn=turn) for turn in range(2)]
    assert [(turn.outcome, turn.arrival_tokens[-1:]) for turn in turns] == [("ok", (TOKENS,))] * 2, turns
    unanswered = take_turn(page, "busy", turn=2)
    assert (unanswered.error_kind, unanswered.error) == ("application", "too many messages")


def test_an_answer_of_another_user_beside_ones_own_is_a_fault(visit: Visit) -> None:
    one, other = visit("m" * 32), visit("m" * 32)
    assert take_turn(one, turn=7).outcome == "ok"
    turn = take_turn(other, turn=8)
    assert (turn.outcome, turn.error_kind) == ("failed", "foreign_nonce")
    assert nonce_of(SEED, tag_of(SEED, 0, 0, 7)) in (turn.error or "")


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ("boom", "application", "RuntimeError: boom on purpose"),
        ("busy", "application", "too many messages"),
        ("foreign", "foreign_nonce", "0123456789ab"),
        ("truncated", "truncated", "after 5 tokens"),
    ],
)
def test_a_fault_is_a_failed_turn_of_its_kind(visit: Visit, words: str, kind: str, said: str) -> None:
    turn = take_turn(visit(), words)
    assert (turn.outcome, turn.error_kind) == ("failed", kind)
    assert said in (turn.error or "")


def test_a_dropped_page_connects_again_into_its_session(visit: Visit) -> None:
    page = visit()
    take_turn(page)
    page.close()
    turn = take_turn(page, turn=1)
    assert turn.outcome == "ok", turn.error


def test_without_a_session_there_is_no_chat_input(url: str) -> None:
    page = StreamlitPage(visitor(url, session=""))
    with pytest.raises(SignInError, match="no chat input on the page of user0001"):
        page.prepare()
    page.close()


def unmasked(token: str) -> bytes:
    """Return what a token of Tornado's second kind hides: 2|mask|masked|time."""
    mask, masked = (bytes.fromhex(part) for part in token.split("|")[1:3])
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(masked))


def test_the_token_against_forgery_is_brought_back_as_the_page_does(visit: Visit) -> None:
    page = visit()
    page.prepare()
    first = page.xsrf_token
    page.close()
    page.prepare()
    assert len(unmasked(first)) == 16
    assert unmasked(page.xsrf_token) == unmasked(first)  # the server makes a new one for whoever brings none
    assert take_turn(page).outcome == "ok"


def test_a_silent_page_stays_open(visit: Visit) -> None:
    page = visit()
    take_turn(page)
    page.idle(time.monotonic() + 1.3)  # Tornado pings once a second
    assert page.connected
    assert take_turn(page, turn=1).outcome == "ok"


def test_a_trial(url: str, tmp_path: Path) -> None:
    files = run(plan(tmp_path, url, protocol="streamlit", measure_max_s=6.0, streamlit_site=SITE))
    measured = [turn for turn in files.turns if turn.phase == "measure"]
    assert files.summary.turns_begun == files.summary.turns_ended == len(measured) >= 4
    assert {(turn.outcome, turn.error) for turn in measured} == {("ok", None)}
    assert {turn.arrival_tokens[-1] for turn in measured} == {TOKENS}


@pytest.mark.spread
@pytest.mark.parametrize(
    ("marks", "at_least"), [("not alone", 19), pytest.param("alone", 2, marks=pytest.mark.alone)], ids=["all", "timing"]
)
def test_all_of_this_holds_for_streamlit_1_44(marks: str, at_least: int) -> None:
    python = Environments(ROOT, print).ensure_python(
        "streamlit", ROOT / "targets" / "monolith" / "streamlit" / "requirements-1.44.txt"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", f"not {LAST}", "-m", marks, __file__],
        cwd=ROOT,
        env={**os.environ, OTHER: str(python)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= at_least  # type: ignore[index]  # no match fails too
