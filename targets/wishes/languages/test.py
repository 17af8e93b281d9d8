"""Every text of three pages in two languages, held against the English ones."""

import re

from playwright.sync_api import Locator, Page, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim
from harness.probes.browser.person import MESSAGES

USERNAME = "user0057"
TITLE = "Conversation 3"
#: what is the same in every language: names of formats, and what Spanish took from English
ANYWHERE = {"Chat", "JSON", "Markdown"}
DATA = re.compile(rf"^Conversation \d+$|{USERNAME}")
LONGEST_LABEL = 60  # longer texts in messages are what people and the model wrote
TEXTS = """
messages => {
  const found = [];
  const shown = one => one && one.getClientRects().length > 0 && getComputedStyle(one).visibility === 'visible';
  const icon = one => /material|icon|symbol/i.test(getComputedStyle(one).fontFamily);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const holder = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !shown(holder) || holder.closest('script, style, noscript') || icon(holder)) continue;
    found.push([text, Boolean(holder.closest(messages))]);
  }
  for (const one of document.body.querySelectorAll('[aria-label], [placeholder], [title], [alt]')) {
    if (!shown(one)) continue;
    for (const name of ['aria-label', 'placeholder', 'title', 'alt']) {
      const text = (one.getAttribute(name) || '').trim();
      if (text) found.push([text, Boolean(one.closest(messages))]);
    }
  }
  return found;
}
"""


def accept(scene: Scene) -> None:
    """Read the English pages, then the Spanish and the Arabic ones."""
    english = _texts(scene, "en-GB")
    claim(len(english) >= 5, f"the English pages have {len(english)} texts only")
    for locale, language in (("es-ES", "es"), ("ar-EG", "ar")):
        for text in sorted(_texts(scene, locale, language)):
            claim(text not in english, f"{language}: {text!r} is English")
            if language == "ar":
                claim(bool(re.search(r"[\u0600-\u06ff]", text)), f"ar: {text!r} has no Arabic letter")


def _texts(scene: Scene, locale: str, language: str = "") -> set[str]:
    """Return the texts of the sign-in form, the first page and a conversation."""
    form = scene.page(locale=locale)
    form.goto(scene.base_url)
    expect(form.locator("input[type=password]")).to_be_visible(timeout=PATIENCE_MS)
    _check_language(form, language)
    found = _of(form)
    person = scene.person(USERNAME, "/", locale=locale)
    page = person.page
    title = person.conversation(TITLE)
    expect(title).to_be_visible(timeout=PATIENCE_MS)
    _settle(page.get_by_role("textbox").last)
    _check_language(page, language)
    found |= _of(page)
    title.click()
    expect(page.locator(MESSAGES)).to_have_count(6, timeout=PATIENCE_MS)
    _settle(page.get_by_role("textbox").last)
    return found | _of(page)


def _settle(box: Locator) -> None:
    expect(box).to_be_editable(timeout=PATIENCE_MS)
    box.page.wait_for_timeout(1500)


def _check_language(page: Page, language: str) -> None:
    if not language:
        return
    root = page.locator("html")
    expect(root).to_have_attribute("lang", re.compile(rf"^{language}\b"), timeout=PATIENCE_MS)
    wanted = "rtl" if language == "ar" else "ltr"
    seen = page.evaluate("getComputedStyle(document.body).direction")
    claim(seen == wanted, f"{language}: the text runs {seen}")


def _of(page: Page) -> set[str]:
    texts = {text for text, said in page.evaluate(TEXTS, MESSAGES) if not (said and len(text) > LONGEST_LABEL)}
    return {
        text for text in texts - ANYWHERE if not DATA.search(text) and re.search(r"[A-Za-z]{3}|[\u0600-\u06ff]", text)
    }
