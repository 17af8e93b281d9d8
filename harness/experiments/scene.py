"""The scene of an acceptance test: a started target, browsers, and who uses them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from harness.probes.browser.person import MESSAGES, Person
from harness.records.recipe import PASSWORD

PATIENCE_MS = 20_000  # a control that is not there is missed soon
#: the colour that is seen behind an element's text: its own background, or that of the nearest painted ancestor
BACKGROUND = """
one => {
  for (let at = one; at; at = at.parentElement ?? at.getRootNode().host) {
    const colour = getComputedStyle(at).backgroundColor;
    if (!/^rgba\\(.*, 0\\)$|^transparent$/.test(colour)) return colour;
  }
  return 'none';
}
"""
#: the innermost element that holds a text: what is styled is often an ancestor
INNERMOST = """
(one, text) => {
  const holds = e => e.textContent.includes(text);
  let at = one;
  for (let inner = at; inner; inner = [...at.children].find(holds)) at = inner;
  const range = document.createRange();
  range.selectNodeContents(at);
  const box = range.getBoundingClientRect();
  return {left: box.left, right: box.right, top: box.top, bottom: box.bottom};
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What runs beside the target for a test; ``names`` fill the wish's environment."""

    names: Mapping[str, str] = field(default_factory=dict)
    thing: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A started target as its users meet it.

    Attributes:
        base_url: Where the page is.
        seed: Of the seeded data and the model's answers.
        beside: What the test itself started.
        axe: The file of axe-core; None where the test does not need it.
    """

    browser: Browser
    base_url: str
    seed: int
    beside: Beside = field(default_factory=Beside)
    axe: Callable[[], Path] | None = None
    opened: list[BrowserContext] = field(default_factory=list)

    def page(self, **options: Any) -> Page:
        """Return an empty tab in a browser profile of its own; options as Playwright's ``new_context`` takes them."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}} | options)
        self.opened.append(context)
        return context.new_page()

    def visitor(self, **options: Any) -> Person:
        """Return somebody at the sign-in form."""
        person = Person(self.page(**options), self.base_url, self.seed, PATIENCE_MS)
        person.page.goto(self.base_url)
        person.page.get_by_role("textbox", name="Password").wait_for()
        return person

    def person(self, username: str, path: str = "", **options: Any) -> Person:
        """Return somebody who was signed in beforehand."""
        person = Person(self.page(**options), self.base_url, self.seed, PATIENCE_MS)
        person.arrive_signed_in(username, path)
        return person

    def close(self) -> None:
        """Close all tabs."""
        for context in self.opened:
            context.close()
        self.opened.clear()


def sign_in(page: Page, username: str) -> None:
    """Sign in with name and password on an opened page."""
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def style(found: Locator, name: str) -> str:
    """Return the computed value of a CSS property."""
    return str(found.evaluate("(one, name) => getComputedStyle(one).getPropertyValue(name)", name))


def colour_behind(found: Locator) -> str:
    """Return the colour that is painted behind an element."""
    return str(found.evaluate(BACKGROUND))


def box_of_text(found: Locator, text: str) -> dict[str, float]:
    """Return where a text is painted: left, right, top, bottom in CSS pixels of the window."""
    return dict(found.evaluate(INNERMOST, text))


def message_with(page: Page, text: str) -> Locator:
    """Return the last message on a page that holds a text, once it is there."""
    found = page.locator(MESSAGES).filter(has_text=text).last
    expect(found).to_be_visible(timeout=PATIENCE_MS)
    return found


def claim(good: bool, seen: str) -> None:
    """Raise AssertionError with what was seen unless it is good."""
    if not good:
        raise AssertionError(seen)


def rgb(hexadecimal: str) -> str:
    """Return a colour as computed styles write it."""
    red, green, blue = (int(pair, 16) for pair in re.findall("..", hexadecimal.removeprefix("#")))
    return f"rgb({red}, {green}, {blue})"
