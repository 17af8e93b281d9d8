"""Hostile payloads in a real Chromium: what ran, what asked elsewhere, what only the page's own policy stopped."""

import tomllib
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Request, expect

from harness.audit.probing import NotMeasuredError, Seen
from harness.audit.security.tally import Tally
from harness.browser.person import Person
from harness.browser.watching import UNFINISHED_PICTURE
from harness.conformance.world import RestWorld

#: the same file the stand-in model reads; a payload is asked for by its name
PAYLOADS = Path(__file__).resolve().parents[3] / "targets" / "llm" / "llm" / "hostile.toml"
PER_PAGE = 14
#: each looks at one page: as many as the payloads need, and some more for pages that a payload broke
PEOPLE = tuple(f"user{number:04d}" for number in range(51, 59))
TITLED = "user0059"
PLAIN = "Messages of the audit"
TITLE_CHARS = 200  # the contract's longest title
FIRST_CHARS = 60  # of the first message become the title
SETTLE_MS = 600  # handlers and beacons come after the text
SHOWN_S = 10.0
ENDED = "nonce => window.awaited[nonce].last"
#: Streamlit takes a message sent while its script still runs for a wish to stop it
READY = """() => !document.querySelector('[data-test-script-state="running"]')"""

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
    """Return the payloads by name; raises NotMeasuredError where this is no checkout of the repository."""
    try:
        return tomllib.loads(PAYLOADS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotMeasuredError(f"the payloads are not here: {PAYLOADS} does not exist") from None


@dataclass(slots=True)
class Signs:
    """What was seen of payloads, by their names; texts of what bears no name of theirs apart."""

    shown: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    fetched: dict[str, str] = field(default_factory=dict)  # name -> address
    stopped: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)  # asked elsewhere without any payload's name
    unusable: list[str] = field(default_factory=list)

    def verdict(self, name: str) -> tuple[str, bool]:
        """Return what one payload did, in words, and whether that is harmless."""
        if name in self.ran:
            return "a click ran it" if name in self.links else "ran", False
        if name in self.fetched:
            return f"asked for {self.fetched[name]}", False
        if name in self.links:
            return "a link that would run script, stopped by the page's policy", True
        return ("tried, stopped by the page's policy" if name in self.stopped else "nothing came of it"), True


class Trap:
    """A page with the canary in it and all requests of its context watched; made before the page is opened."""

    def __init__(self, context: BrowserContext, base_url: str, signs: Signs) -> None:
        self.signs, self._own = signs, urllib.parse.urlsplit(base_url).netloc
        # told at once: a script may replace the page it ran in
        context.expose_binding("noteRan", lambda _, name: signs.ran.add(name))
        context.expose_binding("noteStopped", lambda _, text: signs.stopped.update(_named(text)))
        context.add_init_script(CANARY)
        context.on("request", self._request)
        context.on("requestfailed", self._failed)

    def look(self, person: Person) -> None:
        """Let handlers and beacons come, click what would run script, and note all of it."""
        person.page.wait_for_timeout(SETTLE_MS)
        for markup in person.page.evaluate(CLICK):
            self.signs.links |= set(_named(markup))
        person.page.wait_for_timeout(SETTLE_MS // 2)
        self.signs.unusable += [f"a dialog said {text!r}" for text in person.watch.dialogs]

    def _request(self, request: Request) -> None:
        url = urllib.parse.urlsplit(request.url)
        if url.scheme in ("data", "blob", "about", "chrome-error") or url.netloc == self._own:
            return
        if request.url == UNFINISHED_PICTURE:
            return
        names = _named(request.url)
        self.signs.fetched.update(dict.fromkeys(names, request.url))
        if not names:
            self.signs.others.append(request.url)

    def _failed(self, request: Request) -> None:
        """What the page's own policy blocked never left: it was tried, not fetched."""
        if request.failure == "csp":
            for name in _named(request.url):
                self.signs.fetched.pop(name, None)
                self.signs.stopped.add(name)


def _named(text: str) -> list[str]:
    """Return the payloads whose name stands in a text; the longest wins where one name begins another's."""
    found = [name for name in payloads() if f"'{name}'" in text or f'"{name}"' in text or f"/{name}" in text]
    return [name for name in found if not any(other != name and other.startswith(name) for other in found)]


def answers(browser: Browser, base_url: str, *, seed: int) -> Seen:
    """Have the model say each payload, as it streams and again from the history."""
    signs = Signs()
    left = list(payloads())
    for username in PEOPLE:
        if not left:
            break
        with _opened(browser, base_url, seed, username, signs) as (person, trap):
            try:
                _hear(person, trap, signs, left)
                trap.look(person)
                _use(person, signs)
                person.reload()
                trap.look(person)
            except (Error, AssertionError) as error:
                signs.unusable.append(f"the page broke: {str(error).splitlines()[0]}")
                with suppress(Error):  # what ran before it broke is known all the same, unless it went away
                    trap.look(person)
    return _told(signs, list(payloads()), "in an answer")


def _hear(person: Person, trap: Trap, signs: Signs, left: list[str]) -> None:
    """Ask for as many payloads as go into a page; what breaks it has been asked for and does not come again."""
    person.new_conversation()
    for _ in range(min(PER_PAGE, len(left))):
        name = left.pop(0)
        message = person.message("Say it.", payload=f"hostile-{name}", ttft_s=0.1, itl_s=0)
        _ready(person, trap)
        person.say(message)
        try:
            person.page.wait_for_function(ENDED, arg=message.nonce, timeout=SHOWN_S * 1000)
        except Error:  # one that swallowed the rest of the answer has been shown, one that never came has not
            if person.page.get_by_text(message.nonce).count() == 0:
                continue
        signs.shown.add(name)


def _ready(person: Person, trap: Trap) -> None:
    """Wait until the page takes the next message; load it again where an answer came too fast for its own state.

    Streamlit's chat input was seen to stay disabled after an answer whose run took a few hundredths of a second,
    whatever the answer said. What a payload did is looked for before: it would be gone afterwards.
    """
    person.page.wait_for_function(READY, timeout=SHOWN_S * 1000)
    box = person.page.get_by_role("textbox", name="Message", exact=True)
    try:
        expect(box).to_be_editable(timeout=3000)
    except AssertionError:
        trap.look(person)
        person.reload()


def titles_by_api(browser: Browser, base_url: str, *, seed: int) -> Seen:
    """Put each payload into a title and into a message through the API, then look at them as a person does."""
    signs = Signs()
    world = RestWorld(base_url, seed=seed)
    writer = world.seeded(TITLED)
    plain = world.conversation(writer, PLAIN)["id"]
    for name, text in payloads().items():
        made = writer.request("POST", "/api/conversations", {"title": text[:TITLE_CHARS]})
        message = world.message(text, tokens=2, ttft_s=0, itl_s=0)
        said = writer.request("POST", f"/api/conversations/{plain}/messages", {"content": message.content})
        if made.status == said.status == 201:
            signs.shown.add(name)
    with _opened(browser, base_url, seed, TITLED, signs) as (person, trap):
        person.conversation(PLAIN).wait_for()
        trap.look(person)
        person.conversation(PLAIN).click()
        person.page.get_by_text(message.nonce).last.wait_for()
        trap.look(person)
        _use(person, signs)
    return _told(signs, list(payloads()), "in a title and a message")


def titles_by_page(browser: Browser, base_url: str, *, seed: int) -> Seen:
    """Begin a conversation with each payload that fits into the title which is made of the first message."""
    signs = Signs()
    fitting = [name for name, text in payloads().items() if len(text) <= FIRST_CHARS and "\n" not in text][:PER_PAGE]
    with _opened(browser, base_url, seed, TITLED, signs) as (person, trap):
        for name in fitting:
            _ready(person, trap)
            person.new_conversation()
            message = person.message(payloads()[name], tokens=2, ttft_s=0.1, itl_s=0)
            person.say(message)
            person.watch.shown(message.nonce)
            signs.shown.add(name)
        trap.look(person)
        person.reload()
        trap.look(person)
        _use(person, signs)
    return _told(signs, fitting, "in a title and a message")


class _opened:  # noqa: N801  # reads as a block
    """A signed-in person in a tab of their own, trapped."""

    def __init__(self, browser: Browser, base_url: str, seed: int, username: str, signs: Signs) -> None:
        self._context = browser.new_context()
        self._trap = Trap(self._context, base_url, signs)
        self._person = Person(self._context.new_page(), base_url, seed)
        self._username = username

    def __enter__(self) -> tuple[Person, Trap]:
        try:
            self._person.arrive_signed_in(self._username)
        except BaseException:
            self._context.close()
            raise
        return self._person, self._trap

    def __exit__(self, *_: object) -> None:
        self._context.close()


def _use(person: Person, signs: Signs) -> None:
    """Try to click where messages are typed: a payload may have covered or hidden it."""
    try:
        person.message_box().click(trial=True, timeout=5000)
    except Error:
        signs.unusable.append("the message box cannot be clicked any more")


def _told(signs: Signs, names: list[str], where: str) -> Seen:
    tally = Tally()
    for name in names:
        if name in signs.shown:
            seen, harmless = signs.verdict(name)
            tally.note(f"{name} {where}", "nothing", seen, harmless)
    if not tally.tries:
        raise NotMeasuredError(f"none of {len(names)} payloads came to be shown {where}")
    tally.note("requests of the page itself to elsewhere", "none", ", ".join(signs.others) or "none", not signs.others)
    usable = "; ".join(signs.unusable)
    tally.note("the page afterwards", "usable", usable or "usable", not usable)
    shown = len(signs.shown)
    policy = len([name for name in signs.stopped | signs.links if signs.verdict(name)[1]])
    tally.fact(
        f"{len(signs.ran)} of {shown} payloads ran, {len(signs.fetched)} fetched something, "
        f"{policy} were stopped by the page's own Content-Security-Policy alone."
    )
    if missing := [name for name in names if name not in signs.shown]:
        tally.fact(f"Never shown, so that nothing is known of them: {', '.join(missing)}.")
    return tally.seen(f"{tally.wrong} did anything." if tally.wrong else "Nothing ran, nothing was fetched.")
