"""What people do besides asking: search, rate, hide, look after accounts, and all of it without a mouse."""

import re

import pytest
from playwright.sync_api import Browser, expect

from harness.probes.browser.person import MESSAGES, Person
from harness.probes.world import Message
from harness.records.recipe import PASSWORD
from tests.e2e.conftest import SEED, Running
from tests.e2e.pages.acting import (
    choose_role,
    expect_chosen,
    expect_role,
    moderate,
    open_account,
    rating,
    switch_account,
)

pytestmark = pytest.mark.browser


def answered(person: Person, text: str) -> Message:
    """Ask in a new conversation, and wait for the answer."""
    person.new_conversation()
    message = person.message(text, tokens=5, ttft_s=0, itl_s=0)
    person.say(message)
    person.answer(message)
    return message


@pytest.mark.features("search")
def test_search_leaves_the_conversations_that_have_the_words(person: Person) -> None:
    person.arrive_signed_in("user0021")
    person.conversation("Conversation 7").wait_for()
    person.search("versation 7")
    person.conversation("Conversation 3").wait_for(state="hidden")
    expect(person.conversation("Conversation 7")).to_be_visible()
    person.search("no such words")
    person.conversation("Conversation 7").wait_for(state="hidden")
    person.search("")
    person.conversation("Conversation 3").wait_for()


@pytest.mark.features("feedback")
def test_rating_is_kept_and_can_be_taken_back(person: Person) -> None:
    person.arrive_signed_in("user0022")
    message = answered(person, "Rate me.")
    for value, other in (("up", "down"), ("down", "up")):
        rating(person, message, value).click()
        expect_chosen(rating(person, message, value), True)
        expect_chosen(rating(person, message, other), False)
    person.reload()
    expect_chosen(rating(person, message, "down"), True)
    rating(person, message, "down").click()
    expect_chosen(rating(person, message, "down"), False)
    person.reload()
    expect_chosen(rating(person, message, "down"), False)


@pytest.mark.features("moderation")
def test_hidden_answer_is_gone_for_its_reader_until_it_is_shown_again(
    person: Person, target: Running, browser: Browser
) -> None:
    person.arrive_signed_in("user0023")
    message = answered(person, "Hide me.")
    context = browser.new_context()
    moderator = Person(context.new_page(), target.base_url, SEED)
    moderator.arrive_signed_in("moderator", person.page.url.removeprefix(person.base_url))
    moderate(moderator, message, "Hide")
    person.reload()
    expect(person.page.get_by_text("hidden by a moderator").last).to_be_visible()
    expect(person.page.get_by_text(message.nonce)).to_have_count(0)
    moderate(moderator, message, "Show again")
    person.reload()
    person.answer(message)
    context.close()


@pytest.mark.features("admin")
def test_admin_changes_a_role_and_keeps_somebody_out(person: Person, target: Running, browser: Browser) -> None:
    person.arrive_signed_in("admin")
    page = person.page
    page.get_by_role("link", name="Users").click()
    box = open_account(page, "user0024")
    expect_role(box, "user")
    choose_role(box, "moderator")
    expect_role(open_account(page, "user0024"), "moderator")
    page.wait_for_timeout(500)  # it is saved a moment after it is shown
    page.reload()
    box = open_account(page, "user0024")
    expect_role(box, "moderator")
    choose_role(box, "user")
    expect_role(open_account(page, "user0024"), "user")
    switch_account(page, "user0024", "Deactivate")
    context = browser.new_context()
    other = context.new_page()
    other.goto(target.base_url)
    other.get_by_role("textbox", name="Username").fill("user0024")
    other.get_by_role("textbox", name="Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("alert").first).to_be_visible()
    context.close()
    switch_account(page, "user0024", "Activate")


def test_all_of_a_chat_works_without_a_mouse(person: Person) -> None:
    page = person.page
    page.goto(person.base_url)
    name = page.get_by_role("textbox", name="Username")
    name.wait_for()
    person.tab_to(name)
    page.keyboard.type("user0025")
    person.tab_to(page.get_by_role("textbox", name="Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    box = person.message_box()
    person.tab_to(box)
    message = person.message("No mouse.", tokens=5, ttft_s=0, itl_s=0)
    page.keyboard.type("No mouse.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type(message.content)
    page.keyboard.press("Enter")
    person.answer(message)
    asked = page.locator(MESSAGES).filter(has_text="No mouse.").first.inner_text()
    assert re.search(r"No mouse\.\s*\n\s*No mouse\.", asked), f"Shift and Enter made no new line: {asked!r}"
    options = page.get_by_role("button", name=re.compile(r"Conversation options$|Manage$")).first
    person.tab_to(options)
    page.keyboard.press("Enter")
    rename = page.get_by_role("button", name="Rename").first
    person.tab_to(rename)
    title = page.get_by_role("textbox", name="Title", exact=True)
    if not title.is_visible():
        page.keyboard.press("Enter")
    person.tab_to(title)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("By keyboard alone")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="By keyboard alone").wait_for()
    person.conversation("Conversation 5").wait_for()
    person.tab_to(person.conversation("Conversation 5"), most=60)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Conversation 5").wait_for()
