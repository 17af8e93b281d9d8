"""Hostile payloads in a real Chromium: what ran, what asked elsewhere, what only the page's own policy stopped.

While an answer comes in one tab, the next is asked for in another; each tab hears one payload after the other.
Handlers and beacons that come late are waited for once in all tabs, after the last payload of each.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from playwright.sync_api import Browser, Error, Locator, expect

from harness.audit.probing import NotMeasuredError, Seen
from harness.audit.security.tally import Tally
from harness.audit.security.trap import Signs, Trap, payloads
from harness.browser.person import Person
from harness.conformance.world import Message, RestWorld

PER_PAGE, TABS = 14, 4  # together fewer than the messages that one person may send in a minute
#: one is enough for the payloads; the others are there for pages that a payload broke
PEOPLE = tuple(f"user{number:04d}" for number in range(51, 54))
TITLED, TITLING = "user0059", 2  # and in how many tabs
PLAIN = "Messages of the audit"
TITLE_CHARS = 200  # the contract's longest title
FIRST_CHARS = 60  # of the first message become the title
SETTLE_MS = 600  # handlers and beacons come after the text
SHOWN_S = 10.0
PATIENCE_MS = 15_000  # a page that a payload broke may be one of many
ITL_S = 0.0  # between the tokens of an answer
LOOK_MS = 40  # at every frame that is drawn would cost more than the page itself
ENDED = "nonce => window.awaited[nonce].last"
#: Streamlit takes a message sent while its script still runs for a wish to stop it
READY = """() => !document.querySelector('[data-test-script-state="running"]')"""


@dataclass(slots=True)
class Tab:
    """A signed-in person in a trapped tab of their own, and the payload asked for there."""

    person: Person
    trap: Trap
    asked: tuple[str, Message] | None = None


Ask = Callable[[Tab, str], Message]  # puts a payload into the page


def answers(browser: Browser, base_url: str, *, seed: int) -> Seen:
    """Have the model say each payload, as it streams and again from the history."""
    signs = Signs()
    left = list(payloads())
    for username in PEOPLE:
        if not left:
            break
        with _opened(browser, base_url, seed, username, signs, TABS) as tabs:
            whole = _each(tabs, signs, lambda tab: tab.person.new_conversation())
            _twice(_hear(whole, signs, left, _answered), signs)
    return _told(signs, list(payloads()), "in an answer")


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
    with _opened(browser, base_url, seed, TITLED, signs, 1) as tabs:
        person = tabs[0].person
        person.conversation(PLAIN).wait_for()
        _look(tabs, signs)
        person.conversation(PLAIN).click()
        person.page.get_by_text(message.nonce).last.wait_for()
        _look(tabs, signs)
        _use(tabs[0], signs)
    return _told(signs, list(payloads()), "in a title and a message")


def titles_by_page(browser: Browser, base_url: str, *, seed: int) -> Seen:
    """Begin a conversation with each payload that fits into the title which is made of the first message."""
    signs = Signs()
    fitting = [name for name, text in payloads().items() if len(text) <= FIRST_CHARS and "\n" not in text][:PER_PAGE]
    with _opened(browser, base_url, seed, TITLED, signs, TITLING) as tabs:
        _twice(_hear(tabs, signs, list(fitting), _begun), signs)
    return _told(signs, fitting, "in a title and a message")


@contextmanager
def _opened(browser: Browser, base_url: str, seed: int, username: str, signs: Signs, count: int) -> Iterator[list[Tab]]:
    """Open tabs of one signed-in person, each in a window of its own: one behind another is drawn once a second."""
    with ExitStack() as windows:
        tabs = []
        for _ in range(count):
            context = browser.new_context()
            windows.callback(context.close)
            trap = Trap(context, base_url, signs)
            tabs.append(Tab(Person(context.new_page(), base_url, seed, PATIENCE_MS), trap))
            tabs[-1].person.arrive_signed_in(username)
        yield tabs


def _answered(tab: Tab, name: str) -> Message:
    """Have the model say it in the open conversation."""
    message = tab.person.message("Say it.", payload=f"hostile-{name}", ttft_s=0.1, itl_s=ITL_S)
    tab.person.say(message)
    return message


def _begun(tab: Tab, name: str) -> Message:
    """Begin a conversation with it."""
    tab.person.new_conversation()
    message = tab.person.message(payloads()[name], tokens=2, ttft_s=0.1, itl_s=0)
    tab.person.say(message)
    return message


def _hear(tabs: list[Tab], signs: Signs, left: list[str], ask: Ask) -> list[Tab]:
    """Ask for as many payloads as go into the pages, and wait for each; return the tabs that they did not break.

    What breaks a page has been asked for and does not come again.
    """

    def next_of(tab: Tab) -> None:
        tab.asked = None
        if left:
            name = left.pop(0)
            _ready(tab, signs)
            tab.asked = name, ask(tab, name)

    def heard(tab: Tab) -> None:
        if tab.asked is None:
            return
        name, message = tab.asked
        page = tab.person.page
        try:
            page.wait_for_function(ENDED, arg=message.nonce, timeout=SHOWN_S * 1000, polling=LOOK_MS)
        except Error:  # one that swallowed the rest of the answer has been shown, one that never came has not
            if page.get_by_text(message.nonce).count() == 0:
                return
        signs.shown.add(name)

    for _ in range(PER_PAGE):
        if not left:
            break
        tabs = _each(_each(tabs, signs, next_of), signs, heard)
    return tabs


def _ready(tab: Tab, signs: Signs) -> None:
    """Wait until the page takes the next message; load it again where an answer came too fast for its own state.

    Streamlit's chat input was seen to stay disabled after an answer whose run took a few hundredths of a second,
    whatever the answer said. What a payload did is looked for before: it would be gone afterwards.
    """
    tab.person.page.wait_for_function(READY, timeout=SHOWN_S * 1000, polling=LOOK_MS)
    try:
        expect(_box(tab.person)).to_be_editable(timeout=3000)
    except AssertionError:
        _look([tab], signs)
        tab.person.reload()


def _use(tab: Tab, signs: Signs) -> None:
    """Try to click where messages are typed: a payload may have covered or hidden it.

    A box that is there and disabled is no payload's doing, which would take a script, and scripts are seen by the trap.
    """
    box = _box(tab.person)
    if box.count() and box.is_disabled():
        _ready(tab, signs)
    try:
        box.click(trial=True, timeout=PATIENCE_MS)
    except Error as error:
        signs.unusable.append(f"the message box cannot be clicked any more: {_last_line(error)}")


def _last_line(error: Error) -> str:
    """Say what the browser tried last: its first line only names the time it took."""
    return str(error).strip().splitlines()[-1].strip(" -")


def _each(tabs: Iterable[Tab], signs: Signs, act: Callable[[Tab], object]) -> list[Tab]:
    """Do something in every tab; return those that did not break of it. What ran in the others is noted, too."""
    whole = []
    for tab in tabs:
        try:
            act(tab)
        except (Error, AssertionError) as error:
            signs.unusable.append(f"the page broke: {str(error).splitlines()[0]}")
            with suppress(Error):  # unless it went away
                _settle([tab], SETTLE_MS)
                tab.trap.click(tab.person.page)
        else:
            whole.append(tab)
    return whole


def _twice(tabs: list[Tab], signs: Signs) -> None:
    """Look at what was heard as it is, and once more as the history shows it."""
    tabs = _each(_look(tabs, signs), signs, lambda tab: _use(tab, signs))
    tabs = _each(tabs, signs, lambda tab: tab.person.page.reload(wait_until="commit"))
    until_s = time.monotonic() + PATIENCE_MS / 1000  # they load at the same time

    def back(tab: Tab) -> None:
        left_ms = max(100.0, (until_s - time.monotonic()) * 1000)
        expect(_box(tab.person)).to_be_editable(timeout=left_ms)

    _look(_each(tabs, signs, back), signs)


def _look(tabs: list[Tab], signs: Signs) -> list[Tab]:
    """Let handlers and beacons come, click what would run script, note all of it; return the tabs still there."""
    _settle(tabs, SETTLE_MS)
    tabs = _each(tabs, signs, lambda tab: tab.trap.click(tab.person.page))
    _settle(tabs, SETTLE_MS // 2)
    for tab in tabs:
        signs.unusable += [f"a dialog said {text!r}" for text in tab.person.watch.dialogs]
    return tabs


def _settle(tabs: list[Tab], wait_ms: int) -> None:
    """Let time pass in all tabs, as long as one of them is there to tell it."""
    for tab in tabs:
        with suppress(Error):
            tab.person.page.wait_for_timeout(wait_ms)
            return


def _box(person: Person) -> Locator:
    return person.page.get_by_role("textbox", name="Message", exact=True)


def _told(signs: Signs, names: list[str], where: str) -> Seen:
    tally = Tally()
    for name in names:
        if name in signs.shown:
            seen, harmless = signs.verdict(name)
            tally.note(f"{name} {where}", "nothing", seen, harmless)
    if not tally.tries:
        raise NotMeasuredError(f"none of {len(names)} payloads came to be shown {where}")
    others = ", ".join(signs.others)
    tally.note("requests of the page itself to elsewhere", "none", others or "none", not others, control=True)
    usable = "; ".join(signs.unusable)
    tally.note("the page afterwards", "usable", usable or "usable", not usable, control=True)
    shown = len(signs.shown)
    policy = len([name for name in signs.stopped | signs.links if signs.verdict(name)[1]])
    tally.fact(
        f"{len(signs.ran)} of {shown} payloads ran, {len(signs.fetched)} fetched something, "
        f"{policy} were stopped by the page's own Content-Security-Policy alone."
    )
    if missing := [name for name in names if name not in signs.shown]:
        tally.fact(f"Never shown, so that nothing is known of them: {', '.join(missing)}.")
    return tally.seen(f"{tally.wrong} did anything." if tally.wrong else "No payload ran or fetched anything.")
