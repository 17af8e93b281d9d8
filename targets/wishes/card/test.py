"""Fill in a form that an answer holds, and find it filled in everywhere."""

import json

from playwright.sync_api import Locator, expect

from harness.experiments.scene import PATIENCE_MS, Scene
from harness.probes.browser.person import Person

TITLE = "Book a room"
CARD = {
    "title": TITLE,
    "fields": [{"name": "guests", "label": "Guests"}, {"name": "day", "label": "Day"}],
    "submit": "Book now",
}


def accept(scene: Scene) -> None:
    """Fill in, go on talking, look again here and elsewhere."""
    person = scene.person("user0056")
    person.new_conversation()
    block = f"```card\n{json.dumps(CARD)}\n```\n"
    message = person.message(f"Bring me this:\n\n{block}\n", payload="echo", ttft_s=0.1, itl_s=0.005)
    person.say(message)
    person.answer(message)
    card = _card(person)
    card.get_by_role("textbox", name="Guests").fill("4")
    card.get_by_role("textbox", name="Day").fill("Monday")
    card.get_by_role("button", name="Book now").click()
    _sent(card)
    later = person.message("And then?", ttft_s=0.1, itl_s=0.01)
    person.say(later)
    person.answer(later)
    _sent(_card(person))
    person.reload()
    _sent(_card(person))
    elsewhere = scene.person("user0056")
    elsewhere.conversation("Bring me this").click()
    elsewhere.answer(later)
    _sent(_card(elsewhere))


def _card(person: Person) -> Locator:
    """Return the form: a group or form of its title; the question that asked for it holds the title as text only."""
    page = person.page
    card = page.get_by_role("group", name=TITLE).or_(page.get_by_role("form", name=TITLE)).last
    expect(card).to_be_visible(timeout=PATIENCE_MS)
    return card


def _sent(card: Locator) -> None:
    expect(card.get_by_text("Sent", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    expect(card.get_by_role("textbox", name="Guests")).to_have_value("4", timeout=PATIENCE_MS)
    expect(card.get_by_role("textbox", name="Day")).to_have_value("Monday", timeout=PATIENCE_MS)
    expect(card.get_by_role("button", name="Book now")).to_have_count(0, timeout=PATIENCE_MS)
