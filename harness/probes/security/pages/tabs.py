"""Tabs of a real Chromium that show hostile texts: opened, used as people do, looked at for what ran or fetched.

Handlers and beacons that come late are waited for once in all tabs, after the last payload of each.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from playwright.sync_api import Browser, Error, Locator, expect

from harness.probes.browser.person import Person
from harness.probes.probe import NotMeasuredError, Seen
from harness.probes.security.pages.trap import Signs, Trap
from harness.probes.security.tally import Tally
from harness.probes.world import Message

SETTLE_MS = 600  # handlers and beacons come after the text
SHOWN_S = 10.0
PATIENCE_MS = 15_000  # a page that a payload broke may be one of many
RELOAD_MS = 60_000  # for all tabs together: a page that is slow to load on a busy machine did not break
LOOK_MS = 40  # at every frame that is drawn would cost more than the page itself
#: Streamlit takes a message sent while its script still runs for a wish to stop it
READY = """() => !document.querySelector('[data-test-script-state="running"]')"""


@dataclass(slots=True, eq=False)
class Tab:
    """A signed-in person in a trapped tab of their own, the payload asked for there, those that it is to show."""

    person: Person
    trap: Trap
    asked: tuple[str, Message] | None = None
    names: tuple[str, ...] = ()

    def name(self, number: int) -> str | None:
        """Return the payload of this number, None beyond the last."""
        return self.names[number] if number < len(self.names) else None


@contextmanager
def opened(
    browser: Browser, base_url: str, seed: int, usernames: Sequence[str], signs: Signs, *, any_box: bool = False
) -> Iterator[list[Tab]]:
    """Open a tab for each signed-in person, each in a window of its own: one behind another is drawn once a second.

    ``any_box``: whatever the text box of the page is called, it takes messages.
    """
    with ExitStack() as windows:
        tabs: list[Tab] = []
        for username in usernames:
            context = browser.new_context()
            windows.callback(context.close)
            trap = Trap(context, base_url, signs)
            tabs.append(Tab(Person(context.new_page(), base_url, seed, PATIENCE_MS), trap))
            tabs[-1].person.any_box = any_box or tabs[0].person.any_box  # what the first waited for, others know
            _arrive(tabs[-1].person, username)
        yield tabs


def _arrive(person: Person, username: str) -> None:
    try:
        person.arrive_signed_in(username)
    except (Error, AssertionError) as error:
        told = f"the page shows no text box to type messages into: {str(error).strip().splitlines()[0]}"
        raise NotMeasuredError(told) from error


def ready(tab: Tab, signs: Signs) -> None:
    """Wait until the page takes the next message; load it again where an answer came too fast for its own state.

    Streamlit's chat input was seen to stay disabled after an answer whose run took a few hundredths of a second,
    whatever the answer said. What a payload did is looked for before: it would be gone afterwards.
    """
    tab.person.page.wait_for_function(READY, timeout=SHOWN_S * 1000, polling=LOOK_MS)
    try:
        expect(box(tab.person)).to_be_editable(timeout=3000)
    except AssertionError:
        look([tab], signs)
        tab.person.reload()


def use(tab: Tab, signs: Signs) -> None:
    """Try to click where messages are typed: a payload may have covered or hidden it.

    A box that is there and disabled is no payload's doing, which would take a script, and scripts are seen by the trap.
    """
    typed = box(tab.person)
    if typed.count() and typed.is_disabled():
        ready(tab, signs)
    try:
        typed.click(trial=True, timeout=PATIENCE_MS)
    except Error as error:
        signs.unusable.append(f"the message box cannot be clicked any more: {_last_line(error)}")


def _last_line(error: Error) -> str:
    """Say what the browser tried last: its first line only names the time it took."""
    return str(error).strip().splitlines()[-1].strip(" -")


def each(tabs: Iterable[Tab], signs: Signs, act: Callable[[Tab], object]) -> list[Tab]:
    """Do something in every tab; return those that did not break of it. What ran in the others is noted, too."""
    whole = []
    for tab in tabs:
        try:
            act(tab)
        except (Error, AssertionError) as error:
            signs.unusable.append(f"the page broke: {str(error).splitlines()[0]}")
            with suppress(Error):  # unless it went away
                settle([tab], SETTLE_MS)
                tab.trap.click(tab.person.page)
        else:
            whole.append(tab)
    return whole


def twice(tabs: list[Tab], signs: Signs) -> list[Tab]:
    """Look at what was heard as it is, and once more as the history shows it; return the tabs still there."""
    tabs = each(look(tabs, signs), signs, lambda tab: use(tab, signs))
    tabs = each(tabs, signs, lambda tab: tab.person.page.reload(wait_until="commit"))
    until_s = time.monotonic() + RELOAD_MS / 1000  # they load at the same time

    def back(tab: Tab) -> None:
        left_ms = max(100.0, (until_s - time.monotonic()) * 1000)
        expect(box(tab.person)).to_be_editable(timeout=left_ms)

    return look(each(tabs, signs, back), signs)


def look(tabs: list[Tab], signs: Signs) -> list[Tab]:
    """Let handlers and beacons come, click what would run script, note all of it; return the tabs still there."""
    settle(tabs, SETTLE_MS)
    tabs = each(tabs, signs, lambda tab: tab.trap.click(tab.person.page))
    settle(tabs, SETTLE_MS // 2)
    for tab in tabs:
        signs.unusable += [f"a dialog said {text!r}" for text in tab.person.watch.dialogs]
    return tabs


def settle(tabs: list[Tab], wait_ms: int) -> None:
    """Let time pass in all tabs, as long as one of them is there to tell it."""
    for tab in tabs:
        with suppress(Error):
            tab.person.page.wait_for_timeout(wait_ms)
            return


def box(person: Person) -> Locator:
    return person.box()


def told(signs: Signs, names: Sequence[str], where: Callable[[str], str], *facts: str) -> Seen:
    """Say of each payload that was shown what came of it; ``where`` says in which place a name was seen.

    Raises:
        NotMeasuredError: none was.
    """
    tally = Tally()
    shown = signs.shown | signs.ran | signs.fetched  # what did something was there, whether or not it was still seen
    for name in names:
        if name in shown:
            seen, harmless = signs.verdict(name)
            tally.note(f"{name} {where(name)}", "nothing", seen, harmless)
    if not tally.tries:
        tried = f"{signs.missed[0]} did not within {SHOWN_S:.0f} s" if signs.missed else "none was asked for"
        tried = "; ".join([tried, *signs.unusable[:1]])
        raise NotMeasuredError(f"none of {len(names)} payloads came to be shown: {tried}")
    others = ", ".join(signs.others)
    tally.note("requests of the page itself to elsewhere", "none", others or "none", not others, control=True)
    usable = "; ".join(signs.unusable)
    tally.note("the page afterwards", "usable", usable or "usable", not usable, control=True)
    policy = len([name for name in signs.stopped | signs.links if signs.verdict(name)[1]])
    tally.fact(
        f"{len(signs.ran)} of {len(shown)} payloads ran, {len(signs.fetched)} fetched something, "
        f"{policy} were stopped by the page's own Content-Security-Policy alone."
    )
    for fact in facts:
        tally.fact(fact)
    if missing := [name for name in names if name not in shown]:
        tally.fact(f"Never shown, so that nothing is known of them: {', '.join(missing)}.")
    return tally.seen(f"{tally.wrong} did anything." if tally.wrong else "No payload ran or fetched anything.")
