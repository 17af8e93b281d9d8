"""Edit the first of two questions, go to and fro between the branches, and find both after a reload."""

from playwright.sync_api import expect

from harness.experiments.scene import PATIENCE_MS, Scene
from harness.probes.browser.person import MESSAGES, Person
from harness.probes.world import Message


def accept(scene: Scene) -> None:
    """Ask twice, edit the first question, look at both branches."""
    person = scene.person("user0054")
    page = person.page
    person.new_conversation()
    old, later, new = (person.message(text, ttft_s=0.1, itl_s=0.01) for text in ("One?", "And two?", "Another one?"))
    for message in (old, later):
        person.say(message)
        person.answer(message)
    question = page.locator(MESSAGES).filter(has_text=old.tag).first
    question.hover()
    page.get_by_role("button", name="Edit message").first.click()
    box = page.get_by_role("textbox", name="Edited message")
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    expect(box).to_have_value(old.content)
    box.fill(new.content)
    page.get_by_role("button", name="Send edited").click()
    person.answer(new)
    _shown(person, [new], [old, later])
    _turn(person, "Previous version", "1 / 2")
    _shown(person, [old, later], [new])
    _turn(person, "Next version", "2 / 2")
    _shown(person, [new], [old, later])
    person.reload()
    _shown(person, [new], [old, later])
    _turn(person, "Previous version", "1 / 2")
    _shown(person, [old, later], [new])


def _turn(person: Person, name: str, count: str) -> None:
    person.page.get_by_role("button", name=name).first.click()
    expect(person.page.get_by_text(count).first).to_be_visible(timeout=PATIENCE_MS)


def _shown(person: Person, there: list[Message], gone: list[Message]) -> None:
    messages = person.page.locator(MESSAGES)
    for message in there:
        expect(messages.filter(has_text=message.tag)).to_have_count(1, timeout=PATIENCE_MS)
        expect(messages.filter(has_text=message.nonce)).to_have_count(1, timeout=PATIENCE_MS)
    for message in gone:
        expect(messages.filter(has_text=message.tag)).to_have_count(0, timeout=PATIENCE_MS)
        expect(messages.filter(has_text=message.nonce)).to_have_count(0, timeout=PATIENCE_MS)
