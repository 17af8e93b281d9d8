"""What goes wrong is said to the person, with a way to go on: a failing model, a broken line, a refusing server."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from harness.probes.browser.person import MESSAGES, STOP, Person
from harness.probes.world import Message
from tests.e2e.conftest import CATALOGUE, SEED, Running, with_pages
from tests.e2e.pages.line import Line

pytestmark = pytest.mark.browser

#: pages that fetch what they show; Streamlit's page holds one socket instead, and is closed while that is broken
FETCHING = [name for name in with_pages() if CATALOGUE.target(name).protocol != "streamlit"]
STREAMLIT = [name for name in with_pages() if CATALOGUE.target(name).protocol == "streamlit"]
ASKING_AN_API = [name for name in with_pages() if CATALOGUE.target(name).protocol == "rest"]


def quick(person: Person, text: str, **options: object) -> Message:
    return person.message(text, **({"tokens": 6, "ttft_s": 0, "itl_s": 0} | options))


def expect_said(person: Person) -> None:
    """Expect words about what happened, and the control that asks again."""
    alert = person.page.get_by_role("alert").last
    expect(alert).to_be_visible()
    assert len((alert.inner_text()).split()) >= 3, "the message says nothing"
    expect(person.retry()).to_be_visible()


def test_model_that_fails_is_said_and_the_conversation_goes_on(person: Person) -> None:
    person.arrive_signed_in("user0011")
    person.new_conversation()
    for fault in ("500", "429", "disconnect"):
        failing = quick(person, f"This one fails of {fault}.", fault=fault)
        person.say(failing)
        expect_said(person)
        if fault == "disconnect":
            begun = person.page.locator(MESSAGES).filter(has_text=failing.nonce)
            expect(begun.first).to_be_visible()
        expect(person.page.locator(MESSAGES).filter(has_text=f"This one fails of {fault}.").first).to_be_visible()
        after = quick(person, f"And this one after {fault} does not.")
        person.say(after)
        person.answer(after)


def test_stop_is_there_as_long_as_an_answer_comes_and_keeps_what_came(person: Person) -> None:
    person.arrive_signed_in("user0013")
    person.new_conversation()
    stop = person.page.get_by_role("button", name=STOP)
    for nth in ("first", "second"):  # of a conversation
        long = person.message(f"The {nth} is stopped.", tokens=600, ttft_s=0, itl_s=0.1)
        person.say(long)
        begun = person.page.locator(MESSAGES).filter(has_text=long.nonce).last
        begun.wait_for()
        person.page.wait_for_timeout(1000)  # it stays there
        expect(stop).to_be_visible()
        stop.click()
        expect(stop).to_have_count(0)
        assert "[end]" not in begun.inner_text()
    after = quick(person, "And on.")
    person.say(after)
    person.answer(after)
    person.reload()
    person.answer(after)
    expect(person.page.locator(MESSAGES).filter(has_text=long.nonce).last).not_to_contain_text("[end]")


@pytest.mark.parametrize("target", STREAMLIT, indirect=True)
def test_quick_answers_leave_one_box_that_takes_the_next_message(person: Person) -> None:
    """Runs of a script that follow each other at once come to the page together: it has to end up with one box."""
    person.arrive_signed_in("user0014")
    for nth in range(12):
        if nth % 2 == 0:
            person.new_conversation()
        message = quick(person, f"Quickly {nth}.")
        person.say(message)
        person.answer(message)
        expect(person.page.get_by_role("textbox", name="Message", exact=True)).to_have_count(1)


@pytest.mark.parametrize("target", STREAMLIT, indirect=True)
def test_what_is_typed_after_signing_in_outlives_the_next_run(person: Person) -> None:
    person.sign_in("user0015")
    person.message_box().fill("Begun.")
    for _ in range(2):
        person.new_conversation()
        person.page.wait_for_timeout(1000)
        expect(person.message_box()).to_have_value("Begun.")


@pytest.fixture
def line(target: Running) -> Iterator[Line]:
    """A line to the target."""
    with Line(target.base_url) as laid:
        yield laid


@pytest.fixture
def caller(line: Line, browser: Browser) -> Iterator[Person]:
    """Somebody at the other end of the line, signed in and in a new conversation."""
    context = browser.new_context()
    person = Person(context.new_page(), line.base_url, SEED)
    person.arrive_signed_in("user0012")
    person.new_conversation()
    yield person
    context.close()


def test_line_that_breaks_in_an_answer_leaves_a_way_to_the_whole_answer(caller: Person, line: Line) -> None:
    message = caller.message("A long one.", tokens=60, ttft_s=0, itl_s=0.05)
    caller.say(message)
    caller.page.locator(MESSAGES).filter(has_text=message.nonce).last.wait_for()
    line.cut()
    whole = caller.page.locator(MESSAGES).filter(has_text=message.nonce).filter(has_text="[end]")
    expect(caller.retry().or_(whole).first).to_be_visible()
    if caller.retry().is_visible():  # Streamlit's page lays the line again by itself
        expect_said(caller)
        caller.retry().click()
    caller.answer(message)


@pytest.mark.parametrize("target", FETCHING, indirect=True)
def test_line_that_is_down_is_said_and_retry_works_once_it_is_up(caller: Person, line: Line) -> None:
    first = quick(caller, "Before.")
    caller.say(first)
    caller.answer(first)
    line.go_down()
    message = quick(caller, "Anybody there?")
    caller.say(message)
    expect_said(caller)
    line.come_up()
    caller.retry().click()
    caller.answer(message)
    caller.reload()
    caller.answer(message)


@pytest.mark.parametrize("target", [name for name in with_pages(editions=False) if name not in FETCHING], indirect=True)
def test_page_with_a_socket_cannot_be_typed_into_while_it_is_down_and_comes_back(caller: Person, line: Line) -> None:
    first = quick(caller, "Before.")
    caller.say(first)
    caller.answer(first)
    line.go_down()
    expect(caller.page.get_by_role("textbox", name="Message", exact=True)).not_to_be_editable()
    line.come_up()
    message = quick(caller, "After.")
    caller.say(message)
    caller.answer(message)


@pytest.mark.parametrize("target", ASKING_AN_API, indirect=True)
def test_server_that_refuses_a_message_is_said_and_retry_sends_it(person: Person) -> None:
    person.arrive_signed_in("user0013")
    person.new_conversation()
    to_refuse: list[int] = []

    def refuse(route: Route) -> None:
        if route.request.method != "POST" or not to_refuse:
            route.continue_()
            return
        status = to_refuse.pop()
        problem = {"type": "about:blank", "title": "Not now", "status": status, "detail": "Try again in a moment."}
        route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(problem))

    person.page.route("**/messages", refuse)
    for status in (503, 429, 500, 502):
        to_refuse.append(status)
        message = quick(person, f"Please take this after {status}.")
        person.say(message)
        expect_said(person)
        assert not to_refuse
        person.retry().click()
        person.answer(message)


@pytest.mark.parametrize("target", ASKING_AN_API, indirect=True)
def test_list_that_cannot_be_loaded_is_said_and_retry_loads_it(person: Person) -> None:
    person.page.route("**/api/conversations?*", lambda route: route.fulfill(status=502, body="bad gateway"))
    person.page.route("**/api/conversations", lambda route: route.fulfill(status=502, body="bad gateway"))
    person.arrive_signed_in("user0014")
    expect_said(person)
    person.page.unroute_all()
    person.retry().click()
    person.conversation("Conversation 4").wait_for()


@pytest.mark.parametrize("target", ASKING_AN_API, indirect=True)
def test_session_that_ended_leads_to_the_form_and_back_to_the_conversation(person: Person) -> None:
    person.arrive_signed_in("user0015")
    person.conversation("Conversation 4").click()
    person.page.get_by_role("heading", name="Conversation 4").wait_for()
    person.page.context.clear_cookies(name="sessionid")
    person.say(quick(person, "Am I still here?"))
    button = person.page.get_by_role("button", name="Sign in")
    button.wait_for()
    person.page.get_by_role("textbox", name="Username").fill("user0015")
    person.page.get_by_role("textbox", name="Password").fill("chatbench-demo")
    button.click()
    person.page.get_by_role("heading", name="Conversation 4").wait_for()
