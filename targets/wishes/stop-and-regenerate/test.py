"""Stop an answer, have another one in its place, and find that one after a reload."""

import re
import time

from playwright.sync_api import Locator, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim
from harness.probes.browser.person import MESSAGES, STOP, Person

REGENERATE = re.compile(r"Regenerate$")
NEAR = 90  # CSS pixels between the middles of box and button, up or down


def accept(scene: Scene) -> None:
    """Stop and regenerate, then regenerate a whole answer."""
    person = scene.person("user0053")
    page = person.page
    person.new_conversation()
    long = person.message("Tell me everything.", tokens=300, itl_s=0.05)
    person.say(long)
    stop = page.get_by_role("button", name=STOP)
    expect(stop).to_be_visible(timeout=PATIENCE_MS)
    _beside(person, stop)
    begun = page.locator(MESSAGES).filter(has_text=long.nonce).last
    expect(begun).to_be_visible(timeout=PATIENCE_MS)
    stop.click()
    expect(stop).to_have_count(0, timeout=PATIENCE_MS)
    before = begun.inner_text()
    time.sleep(1.0)
    claim(begun.inner_text() == before and "[end]" not in before, "the answer went on after Stop")
    page.get_by_role("button", name=REGENERATE).wait_for()

    person.new_conversation()
    whole = person.message("Tell me again.", ttft_s=0.1, itl_s=0.01)
    person.say(whole)
    first = _words(person.answer(whole), whole.nonce)
    button = page.get_by_role("button", name=REGENERATE).last
    expect(button).to_be_visible(timeout=PATIENCE_MS)
    _beside(person, button)
    button.click()
    changed = re.compile(re.escape(whole.nonce) + r"(?! " + re.escape(first) + r")[\s\S]*\[end\]")
    expect(page.locator(MESSAGES).filter(has_text=whole.nonce).last).to_have_text(changed, timeout=PATIENCE_MS)
    second = _words(person.answer(whole), whole.nonce)
    claim(first != second, f"the answer is still the first one, {first[:20]!r}")
    for when in ("after Regenerate", "after a reload"):
        answers = page.locator(MESSAGES).filter(has_text=whole.nonce)
        expect(answers).to_have_count(1, timeout=PATIENCE_MS)
        claim(_words(person.answer(whole), whole.nonce) == second, f"{when} another answer stands there")
        questions = page.locator(MESSAGES).filter(has_text=whole.tag)
        expect(questions).to_have_count(1, timeout=PATIENCE_MS)
        person.reload()


def _words(answer: Locator, nonce: str) -> str:
    """Return the first words of an answer after its nonce."""
    return " ".join(answer.inner_text().split(nonce)[-1].split()[:4])


def _beside(person: Person, button: Locator) -> None:
    # not whether it can be typed into: that may have to wait for the answer
    box = person.page.get_by_role("textbox", name="Message", exact=True).bounding_box()
    found = button.bounding_box()
    if box is None or found is None:
        raise AssertionError("box or button is not to be seen")
    apart = abs(box["y"] + box["height"] / 2 - found["y"] - found["height"] / 2)
    claim(apart < NEAR, f"the button is {apart:.0f} pixels above or below the box")
    claim(box["x"] - 120 < found["x"] < box["x"] + box["width"] + 240, "the button is not beside the box")
