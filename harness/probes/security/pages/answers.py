"""Hostile payloads said by the model, in a real Chromium: what ran, what asked elsewhere, what only the policy stopped.

While an answer comes in one tab, the next is asked for in another; each tab hears one payload after the other.
"""

from collections.abc import Callable

from playwright.sync_api import Browser, Error

from harness.probes.probe import Seen
from harness.probes.security.pages.tabs import LOOK_MS, SHOWN_S, Tab, each, opened, ready, told, twice
from harness.probes.security.pages.trap import Signs, payloads
from harness.probes.world import Message

PER_PAGE, TABS = 14, 4  # together fewer than the messages that one person may send in a minute
#: one is enough for the payloads; the others are there for pages that a payload broke
PEOPLE = tuple(f"user{number:04d}" for number in range(51, 54))
ITL_S = 0.0  # between the tokens of an answer
ENDED = "nonce => window.awaited[nonce].last"

Ask = Callable[[Tab, str], Message]  # puts a payload into the page


def answers(browser: Browser, base_url: str, *, seed: int, several: bool = True) -> Seen:
    """Have the model say each payload, as it streams and again from the history.

    ``several``: the page has several conversations, and a new one is begun.
    """
    signs = Signs()
    left = list(payloads())
    for username in PEOPLE:
        if not left:
            break
        with opened(browser, base_url, seed, [username] * TABS, signs, any_box=not several) as tabs:
            whole = _begun(tabs, signs) if several else tabs
            if not whole:
                break
            twice(hear(whole, signs, left, _answered), signs)
    return told(signs, list(payloads()), lambda _: "in an answer")


def _begun(tabs: list[Tab], signs: Signs) -> list[Tab]:
    """Begin a conversation in each tab; where the first one cannot, the others have nothing to wait for."""
    first = each(tabs[:1], signs, lambda tab: tab.person.new_conversation())
    return first + each(tabs[1:], signs, lambda tab: tab.person.new_conversation()) if first else []


def _answered(tab: Tab, name: str) -> Message:
    """Have the model say it in the open conversation."""
    message = tab.person.message("Say it.", payload=f"hostile-{name}", ttft_s=0.1, itl_s=ITL_S)
    tab.person.say(message)
    return message


def hear(tabs: list[Tab], signs: Signs, left: list[str], ask: Ask) -> list[Tab]:
    """Ask for as many payloads as go into the pages, and wait for each; return the tabs that they did not break.

    What breaks a page has been asked for and does not come again. A page that shows none is not asked for the others.
    """

    def next_of(tab: Tab) -> None:
        tab.asked = None
        if left:
            name = left.pop(0)
            ready(tab, signs)
            tab.asked = name, ask(tab, name)

    def heard(tab: Tab) -> None:
        if tab.asked is None or signs.hopeless:
            return
        name, message = tab.asked
        page = tab.person.page
        try:
            page.wait_for_function(ENDED, arg=message.nonce, timeout=SHOWN_S * 1000, polling=LOOK_MS)
        except Error:  # one that swallowed the rest of the answer has been shown, one that never came has not
            if page.get_by_text(message.nonce).count() == 0:
                signs.missed.append(name)
                return
        signs.shown.add(name)

    for _ in range(PER_PAGE):
        if not left:
            break
        tabs = each(each(tabs, signs, next_of), signs, heard)
        if signs.hopeless:
            left.clear()
    return tabs
