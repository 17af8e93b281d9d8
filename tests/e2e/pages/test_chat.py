"""What people type is shown as typed and answered; the way from end to end is walked in ``test_swap``."""

import pytest
from playwright.sync_api import expect

from harness.probes.browser.person import Person

pytestmark = pytest.mark.browser

#: what people may type: markup, emoji, right-to-left, long
TEXTS = {
    "markup": "<script>window.hostile = 'typed'</script> <b>bold</b> **stars** $x^2$ :smile: [a](javascript:alert(1))",
    "emoji": "👩\u200d👩\u200d👧\u200d👦 🇧🇪 👋🏽 é e\u0301 🧑\u200d🚀",
    "right-to-left": "مرحبا بالعالم \u202eabc\u202c שלום",
    "100 kB": "long " * 19_900,
}


def test_wrong_password_stays_at_the_form(person: Person) -> None:
    person.page.goto(person.base_url)
    person.page.get_by_role("textbox", name="Username").fill("user0001")
    person.page.get_by_role("textbox", name="Password").fill("not it")
    person.page.get_by_role("button", name="Sign in").click()
    expect(person.page.get_by_role("alert").first).to_be_visible()
    expect(person.page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.editions
def test_any_text_is_shown_as_typed_and_answered(person: Person) -> None:
    person.arrive_signed_in("user0006")
    person.new_conversation()
    messages = [person.message(text, tokens=4, ttft_s=0.1, itl_s=0) for text in TEXTS.values()]
    for message in messages:
        person.say(message)
        person.answer(message)
    person.reload()
    for number, message in enumerate(messages):
        person.answer(message)
        assert " ".join(message.content.split()) in " ".join(person.question(number, message.tag).split())
    assert person.page.evaluate("window.hostile") is None
    assert person.watch.dialogs == []
    assert person.watch.foreign_requests() == []
