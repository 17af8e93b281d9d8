"""What a screen reader is told while an answer comes, and barriers that axe-core finds."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim
from harness.probes.browser.person import MESSAGES, OPTIONS, STOP, Person
from harness.records.recipe import PASSWORD

WIDTHS = (1280, 390)
GRAVE = ("serious", "critical")
#: notes what live regions say, and whether one that holds or announces the answer is busy
LISTENER = """
nonce => {
  const live = '[aria-live=polite], [aria-live=assertive], [role=status], [role=alert], [role=log], output';
  window.spoken = {said: false, ended: false, busy: false};
  const look = () => {
    for (const one of document.querySelectorAll(live)) {
      if (one.getAttribute('aria-live') === 'off') continue;
      const text = one.textContent;
      if (text.includes(nonce)) window.spoken.said = true;
      const at = text.lastIndexOf(nonce);
      if (at >= 0 && text.indexOf('[end]', at) >= 0) window.spoken.ended = true;
    }
    for (const one of document.querySelectorAll('[aria-busy=true]')) {
      if (one.matches(live) || one.querySelector(live) || one.textContent.includes(nonce)) window.spoken.busy = true;
    }
  };
  const all = {subtree: true, childList: true, characterData: true, attributes: true};
  new MutationObserver(look).observe(document.body, all);
}
"""


def accept(scene: Scene) -> None:
    """Listen to an answer, then look for barriers."""
    _listen(scene.person("user0058"))
    if scene.axe is None:
        raise AssertionError("axe-core is not at hand")
    script = scene.axe().read_text(encoding="utf-8")
    for width in WIDTHS:
        found = [line for look in STATES for line in look(scene, width, script)]
        claim(not found, f"at a width of {width}: {'; '.join(found[:3])}")


def _listen(person: Person) -> None:
    person.new_conversation()
    message = person.message("Can this be heard?", tokens=40, itl_s=0.05)
    person.page.evaluate(LISTENER, message.nonce)
    person.say(message)
    person.answer(message)
    person.page.wait_for_timeout(1500)
    heard = person.page.evaluate("window.spoken")
    claim(heard["said"], "no live region held the answer")
    claim(heard["ended"], "no live region held the answer to its end")
    claim(heard["busy"], "nothing was marked busy while the answer came")
    busy = person.page.locator("[aria-busy=true]").filter(has_text=message.nonce)
    claim(busy.count() == 0, "the answer is still marked busy")


def _barriers(page: Page, state: str, script: str) -> list[str]:
    """Return what axe-core finds; it is evaluated, as a policy may keep script elements out."""
    page.wait_for_timeout(500)
    page.evaluate(script + "; undefined")
    said = json.loads(
        page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(r.violations))")
    )
    return [f"{state}: {one['id']} ({len(one['nodes'])})" for one in said if one["impact"] in GRAVE]


def _sign_in(scene: Scene, width: int, script: str) -> list[str]:
    form = scene.visitor(viewport={"width": width, "height": 800})
    found = _barriers(form.page, "sign-in", script)
    form.page.get_by_role("textbox", name="Username").fill("user0058")
    form.page.get_by_role("textbox", name="Password").fill(PASSWORD + "-wrong")
    form.page.get_by_role("button", name="Sign in", exact=True).click()
    form.page.get_by_role("alert").first.wait_for()
    return found + _barriers(form.page, "refused sign-in", script)


def _chat(scene: Scene, width: int, script: str) -> list[str]:
    person = scene.person("user0058", viewport={"width": width, "height": 800})
    page = person.page
    found = _barriers(page, "new conversation", script)
    message = person.message("A slow one, please.", tokens=200, itl_s=0.1)
    person.say(message)
    expect(page.locator(MESSAGES).filter(has_text=message.nonce).last).to_be_visible(timeout=PATIENCE_MS)
    found += _barriers(page, "answer under way", script)
    page.get_by_role("button", name=STOP).click()
    expect(page.get_by_role("button", name=STOP)).to_have_count(0, timeout=PATIENCE_MS)
    found += _barriers(page, "answer stopped", script)
    page.get_by_role("button", name=OPTIONS).first.click()
    page.get_by_role("button", name=re.compile(r"Delete$")).first.wait_for()
    return found + _barriers(page, "options open", script)


STATES: tuple[Callable[[Scene, int, str], list[str]], ...] = (_sign_in, _chat)
