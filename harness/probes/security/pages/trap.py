"""Hostile payloads, and a page that notices what runs, what asks elsewhere, what its own policy stops."""

import tomllib
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Request

from harness.probes.browser.watching import UNFINISHED_PICTURE
from harness.probes.probe import NotMeasuredError

#: the same file the stand-in model reads; a payload is asked for by its name
PAYLOADS = Path(__file__).resolve().parents[4] / "targets" / "llm" / "llm" / "hostile.toml"
MOST_MISSED = 5
NAMELESS = ""  # stands for the name of a payload where there is none
#: notes what sets the canary, and what the page's Content-Security-Policy stopped
CANARY = """
(() => {
  Object.defineProperty(window, 'hostile', {set: name => window.noteRan(String(name)), get: () => 'set'});
  document.addEventListener('securitypolicyviolation', event => {
    const element = event.target instanceof Element ? event.target.outerHTML.slice(0, 500) : '';
    window.noteStopped(`${event.blockedURI} ${element}`);
  }, true);
})()
"""
#: clicks every link that would run script, wherever it hides; returns their markup
CLICK = """
() => {
  const found = [];
  const script = value => value && value.replace(/[\\u0000-\\u0020]/g, '').toLowerCase().startsWith('javascript:');
  const walk = root => {
    for (const one of root.querySelectorAll('*')) {
      if (['href', 'xlink:href', 'action', 'formaction', 'src', 'data'].some(name => script(one.getAttribute(name)))) {
        found.push(one.outerHTML.slice(0, 500));
        one.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
      }
      if (one.shadowRoot) walk(one.shadowRoot);
    }
  };
  walk(document);
  return found;
}
"""


@cache
def payloads() -> Mapping[str, str]:
    """Return the payloads by name; raises NotMeasuredError outside a checkout of the repository."""
    try:
        return tomllib.loads(PAYLOADS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotMeasuredError(f"the payloads are not here: {PAYLOADS} does not exist") from None


@dataclass(slots=True)
class Signs:
    """The signs of payloads, by their names; texts without such a name apart."""

    shown: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    left: dict[str, list[str]] = field(default_factory=dict)  # name, or NAMELESS -> addresses asked for elsewhere
    stopped: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    unusable: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # asked for, and not shown in its time

    @property
    def fetched(self) -> set[str]:
        """The payloads that asked elsewhere."""
        return {name for name, addresses in self.left.items() if addresses and name != NAMELESS}

    @property
    def others(self) -> list[str]:
        """The requests elsewhere without any payload's name."""
        return self.left.get(NAMELESS, [])

    @property
    def hopeless(self) -> bool:
        """Tell if the page shows no payload, or too few of them: each one more costs its whole time."""
        return bool(self.missed) and (not self.shown or len(self.missed) >= MOST_MISSED)

    def verdict(self, name: str) -> tuple[str, bool]:
        """Return what one payload did, in words, and whether that is harmless."""
        if name in self.ran:
            return "a click ran it" if name in self.links else "ran", False
        if name in self.fetched:
            return f"asked for {self.left[name][0]}", False
        if name in self.links:
            return "a link that would run script, stopped by the page's policy", True
        return ("tried, stopped by the page's policy" if name in self.stopped else "nothing came of it"), True


class Trap:
    """The canary in all pages of a context, and all their requests watched; made before a page is opened."""

    def __init__(self, context: BrowserContext, base_url: str, signs: Signs) -> None:
        self.signs, self._own = signs, urllib.parse.urlsplit(base_url).netloc
        # told at once: a script may replace the page it ran in
        context.expose_binding("noteRan", lambda _, name: signs.ran.add(name))
        context.expose_binding("noteStopped", lambda _, text: signs.stopped.update(named(text)))
        context.add_init_script(CANARY)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)

    def click(self, page: Page) -> None:
        """Click every element that would run script."""
        for markup in page.evaluate(CLICK):
            self.signs.links |= set(named(markup))

    def _request(self, request: Request) -> None:
        url = urllib.parse.urlsplit(request.url)
        if url.scheme in ("data", "blob", "about", "chrome-error") or url.netloc == self._own:
            return
        if request.url == UNFINISHED_PICTURE:
            return
        for name in named(request.url) or [NAMELESS]:
            self.signs.left.setdefault(name, []).append(request.url)

    def _failed(self, request: Request) -> None:
        """Drop a request that the page's own policy blocked: its address may be a payload's, or the start of one."""
        if request.failure == "csp":
            names = named(request.url)
            for name in names or [NAMELESS]:
                if request.url in self.signs.left.get(name, []):
                    self.signs.left[name].remove(request.url)
            self.signs.stopped.update(names)


def named(text: str) -> list[str]:
    """Return the payloads whose name stands in a text; the longest wins where one name begins another's."""
    found = [name for name in payloads() if f"'{name}'" in text or f'"{name}"' in text or f"/{name}" in text]
    return [name for name in found if not any(other != name and other.startswith(name) for other in found)]
