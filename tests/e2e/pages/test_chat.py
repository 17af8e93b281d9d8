"""People sign in with the form, chat, see the answer grow, and find it again."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from harness.probes.browser.person import MESSAGES, Person
from tests.e2e.conftest import ANSWER

pytestmark = pytest.mark.browser

#: what people may type: markup, emoji, right-to-left, long
TEXTS = {
    "markup": "<script>window.hostile = 'typed'</script> <b>bold</b> **stars** $x^2$ :smile: [a](javascript:alert(1))",
    "emoji": "👩\u200d👩\u200d👧\u200d👦 🇧🇪 👋🏽 é e\u0301 🧑\u200d🚀",
    "right-to-left": "مرحبا بالعالم \u202eabc\u202c שלום",
    "100 kB": "long " * 19_900,
}


def test_person_signs_in_chats_and_finds_the_answer_after_a_reload(person: Person) -> None:
    person.sign_in("user0001")
    person.new_conversation()
    message = person.message("Tell me of modular chatbots.")
    person.say(message)
    times, lengths = person.watch.shown(message.nonce)
    assert len(set(lengths)) >= 5, f"the answer did not grow: {lengths}"
    assert all(a < b for a, b in pairwise(lengths)), f"the answer shrank while it grew: {lengths}"
    assert times.last_s - times.first_s > 0.5 * 19 * ANSWER.itl_s, "the answer came at once"
    text = person.answer(message).inner_text()
    assert text.index(message.nonce) < text.index("[end]")
    person.reload()
    person.answer(message)
    expect(person.page.locator(MESSAGES).filter(has_text="Tell me of modular chatbots.").first).to_be_visible()
    assert person.watch.foreign_requests() == []


def test_wrong_password_stays_at_the_form(person: Person) -> None:
    person.page.goto(person.base_url)
    person.page.get_by_role("textbox", name="Username").fill("user0001")
    person.page.get_by_role("textbox", name="Password").fill("not it")
    person.page.get_by_role("button", name="Sign in").click()
    expect(person.page.get_by_role("alert").first).to_be_visible()
    expect(person.page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_is_shown_as_typed_and_answered(person: Person, kind: str) -> None:
    person.arrive_signed_in("user0006")
    person.new_conversation()
    message = person.message(TEXTS[kind], tokens=4, ttft_s=0, itl_s=0)
    person.say(message)
    person.answer(message)
    person.reload()
    person.answer(message)
    assert " ".join(message.content.split()) in " ".join(person.first_message(message.tag).split())
    assert person.page.evaluate("window.hostile") is None
    assert person.watch.dialogs == []
    assert person.watch.foreign_requests() == []
