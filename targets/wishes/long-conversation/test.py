"""Jump to a day of a long conversation, then scroll up to its beginning without losing one's place."""

import re

from playwright.sync_api import Locator, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim
from harness.probes.browser.person import Person

STEP, SLACK, MOST_STEPS = 400, 60, 150  # CSS pixels of a turn of the wheel, and what a place may move besides
PLACES = """
() => {
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const name = walker.currentNode.textContent.match(/entry-\\d{3}/);
    if (!name) continue;
    const range = document.createRange();
    range.selectNode(walker.currentNode);
    const box = range.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + 2, box.top + box.height / 2);
    const holder = walker.currentNode.parentElement;
    if (at && (at.contains(holder) || holder.contains(at))) found[name[0]] = box.top;
  }
  return found;
}
"""


def accept(scene: Scene) -> None:
    """Jump, then scroll."""
    person = scene.person("user0043")
    page = person.page
    person.conversation("The long one").click()
    expect(page.get_by_text(re.compile("entry-300")).last).to_be_visible(timeout=PATIENCE_MS)
    box = page.get_by_label("Go to date").first
    expect(box).to_be_visible(timeout=PATIENCE_MS)
    _enter(box)
    first = page.get_by_text(re.compile("entry-141 of 2026-03-15")).first
    expect(first).to_be_in_viewport(timeout=PATIENCE_MS)
    claim("entry-141" in _places(person), "the first message of the day is covered")
    _scroll_up(person, first)


def _enter(box: Locator) -> None:
    """Fill in a day, in whatever way the box takes one."""
    if box.get_attribute("type") == "date":
        box.fill("2026-03-15")
    else:
        box.click()
        box.press("Control+a")
        box.press_sequentially("2026-03-15", delay=30)
    box.press("Enter")


def _places(person: Person) -> dict[str, float]:
    return dict(person.page.evaluate(PLACES))


def _scroll_up(person: Person, over: Locator) -> None:
    over.hover()
    for _ in range(MOST_STEPS):
        before = _places(person)
        claim(bool(before), "no message is to be seen")
        if "entry-001" in before:
            return
        person.page.mouse.wheel(0, -STEP)
        person.page.wait_for_timeout(700)
        after = _places(person)
        stayed = [name for name in before if name in after]
        claim(bool(stayed), f"of {sorted(before)} none is to be seen after a turn of the wheel")
        moved = after[stayed[0]] - before[stayed[0]]
        claim(-SLACK <= moved <= STEP + SLACK, f"{stayed[0]} moved by {moved:.0f} pixels")
        if moved < 1:  # more may have to be asked for
            earlier = person.page.get_by_role("button", name=re.compile("earlier", re.IGNORECASE))
            if earlier.count():
                held = stayed[0]
                earlier.first.click()
                person.page.wait_for_timeout(1500)
                later = _places(person)
                claim(held in later, f"{held} is gone after asking for earlier messages")
                claim(abs(later[held] - after[held]) <= STEP / 2, f"{held} moved after asking for earlier messages")
                person.page.mouse.move(640, 300)
    raise AssertionError(f"{MOST_STEPS} turns of the wheel do not lead to the first message")
