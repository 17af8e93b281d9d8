"""Hostile payloads in titles and in what people write: in the list, as a heading, in the conversation.

Where programs have an API, titles are written through it and looked at on the page; elsewhere a person begins
conversations and renames others. Either way a payload counts as shown only once the page shows it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from playwright.sync_api import Browser, Error

from harness.probes.browser.person import MESSAGES
from harness.probes.probe import Seen
from harness.probes.security.pages.answers import hear
from harness.probes.security.pages.tabs import LOOK_MS, Tab, each, look, opened, told, twice, use
from harness.probes.security.pages.trap import Signs, payloads
from harness.probes.world import Message, RestWorld

#: a tab each, so that all titles stand in lists and all messages in conversations that show some dozens at most
PEOPLE = tuple(f"user{number:04d}" for number in range(56, 60))
SEEDED = 10  # conversations of each of them, by contract
PLAIN = "Messages of the audit"
TITLE_CHARS = 200  # the contract's longest title
FIRST_CHARS = 60  # of the first message become the title
SOON_MS = 2000  # what is not there by then is not shown
HEADINGS = "h1, h2, h3, [role=heading]"
#: returns the payloads whose letters and digits can be read in such elements (Streamlit shows `:material_` for
#: `:material/`), or whose markup has become part of the page; what only tells of a title is not the title
SHOWN = r"""
([texts, where]) => {
  const plain = text => text.replace(/[^\p{L}\p{N}]+/gu, '');
  const roots = [...document.querySelectorAll(where)];
  const words = plain(roots.map(root => root.innerText).join(' '));
  const marks = roots.flatMap(root => [...root.querySelectorAll('*')]).flatMap(one => [
    ...[...one.attributes].filter(({name}) => !['title', 'value', 'aria-label'].includes(name)).map(({value}) => value),
    ...(['SCRIPT', 'STYLE'].includes(one.tagName) ? [one.textContent] : []),
  ]).join(' ');
  const marked = name => new RegExp(`(hostile=['"]|beacon\\.invalid/)${name}(?![a-z-])`).test(marks);
  return Object.keys(texts).filter(name => words.includes(plain(texts[name])) || marked(name));
}
"""


@dataclass(frozen=True, slots=True)
class Places:
    """The places where payloads were seen, by the payloads' names."""

    titles: set[str] = field(default_factory=set)
    headings: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)

    def of(self, name: str) -> str:
        """Say where one was seen."""
        return " and ".join(
            where for where, names in (("in a title", self.titles), ("in a message", self.messages)) if name in names
        )

    def told(self, signs: Signs) -> Seen:
        """Say what came of all that were seen, and how many were seen where."""
        signs.shown |= self.titles | self.messages
        return told(
            signs,
            list(payloads()),
            lambda name: self.of(name) or "in a title or a message",
            f"{len(self.titles)} of {len(payloads())} were shown in titles, {len(self.headings)} of these as a "
            f"heading too; {len(self.messages)} in messages.",
        )


def by_api(browser: Browser, base_url: str, api_url: str, *, seed: int) -> Seen:
    """Put each payload into a title and into a message through the API, then look at them as a person does."""
    signs, places = Signs(), Places()
    world = RestWorld(api_url, seed=seed)
    shares = _shares(payloads(), len(PEOPLE))
    last = [_write(world, username, share) for username, share in zip(PEOPLE, shares, strict=True)]
    with opened(browser, base_url, seed, PEOPLE, signs) as tabs:
        for tab, share, message in zip(tabs, shares, last, strict=True):
            tab.names, tab.asked = share, (PLAIN, message)
        tabs = each(tabs, signs, _await_list)
        tabs = each(look(tabs, signs), signs, lambda tab: places.titles.update(_shown(tab, tab.names, "body")))
        for number in range(len(shares[0])):
            listed = [tab for tab in tabs if tab.name(number) in places.titles]
            _note_headings(_open_each(listed, partial(_title, number)), number, places)
        tabs = each(look(tabs, signs), signs, lambda tab: tab.person.conversation(PLAIN).click())
        tabs = each(tabs, signs, _await_last)
        tabs = each(look(tabs, signs), signs, lambda tab: use(tab, signs))
        each(tabs, signs, lambda tab: places.messages.update(_shown(tab, tab.names, MESSAGES)))
    return places.told(signs)


def _title(number: int, tab: Tab) -> str:
    return _text(tab.name(number))


def _shares(names: Iterable[str], count: int) -> list[tuple[str, ...]]:
    """Deal names out, the longest share first."""
    dealt = tuple(names)
    return [dealt[number::count] for number in range(count)]


def _write(world: RestWorld, username: str, names: Iterable[str]) -> Message:
    """Make a conversation with each of these titles and one with all as messages; return the last message.

    What the API refuses is not there to be shown.
    """
    writer = world.seeded(username)
    plain = world.conversation(writer, PLAIN)["id"]
    message = world.message(tokens=2, ttft_s=0, itl_s=0)
    for name in names:
        writer.request("POST", "/api/conversations", {"title": _text(name)})
        message = world.message(payloads()[name], tokens=2, ttft_s=0, itl_s=0)
        writer.request("POST", f"/api/conversations/{plain}/messages", {"content": message.content})
    return message


def _await_list(tab: Tab) -> None:
    """Wait for the list, which a title may have hidden."""
    tab.person.page.get_by_text(PLAIN).first.wait_for(state="attached")


def _await_last(tab: Tab) -> None:
    """Wait for the answer to the last message, where there is one."""
    if tab.names and tab.asked:
        tab.person.page.get_by_text(tab.asked[1].nonce).last.wait_for()


def by_page(browser: Browser, base_url: str, *, seed: int, renames: bool) -> Seen:
    """Begin a conversation with each payload that fits into the title made of it; rename others to those that do not.

    A line of text takes no line breaks, and a page may take shorter titles than the contract.
    """
    signs, places = Signs(), Places()
    fitting = {name: text for name, text in payloads().items() if len(text) <= TITLE_CHARS and "\n" not in text}
    begun = [name for name, text in fitting.items() if len(text) <= FIRST_CHARS]
    with opened(browser, base_url, seed, PEOPLE, signs) as tabs:

        def begin(tab: Tab, name: str) -> Message:
            places.messages.update(_shown(tab, begun, MESSAGES))  # the one before, which is about to go
            return _begun(tab, name)

        if not each(tabs[:1], signs, lambda tab: tab.person.new_conversation()):
            tabs = []  # where the first tab cannot, the others have nothing to wait for
        tabs = hear(tabs, signs, list(begun), begin)
        renames = renames and not signs.hopeless
        signs.shown.clear()  # those whose answer came, which need not have been shown themselves
        tabs = each(tabs, signs, lambda tab: places.messages.update(_shown(tab, begun, MESSAGES)))
        shares = _shares((name for name in fitting if name not in begun), len(tabs)) if renames else ()
        for tab, share in zip(tabs, shares, strict=False):
            tab.names = share[:SEEDED]
        for number in range(SEEDED) if renames else ():
            tabs = _rename_each(tabs, number, signs)
            _note_headings(tabs, number, places)
        tabs = twice(tabs, signs)
        each(tabs, signs, lambda tab: places.titles.update(_shown(tab, fitting, "body")))
    return places.told(signs)


def _begun(tab: Tab, name: str) -> Message:
    """Begin a conversation with it."""
    tab.person.new_conversation()
    message = tab.person.message(payloads()[name], tokens=2, ttft_s=0.1, itl_s=0)
    tab.person.say(message)
    return message


def _rename_each(tabs: list[Tab], number: int, signs: Signs) -> list[Tab]:
    """Give the payload of this number to a seeded conversation as its title, the highest first."""
    seeded = f"Conversation {SEEDED - number}"
    entered = _open_each((tab for tab in tabs if tab.name(number)), lambda _: seeded)

    def rename(tab: Tab) -> None:
        if tab in entered:
            with suppress(Error):  # a page that cannot do it shows no such title
                tab.person.page.get_by_role("heading", name=seeded).wait_for(timeout=SOON_MS)
                tab.person.retitle(_text(tab.name(number)))

    return each(tabs, signs, rename)


def _open_each(tabs: Iterable[Tab], title: Callable[[Tab], str]) -> list[Tab]:
    """Click the conversation of a title in the list of each tab; return those where it could be clicked."""
    entered = []
    for tab in tabs:
        with suppress(Error):  # a title that became a part of the page is none that can be found
            tab.person.conversation(title(tab)).click(timeout=SOON_MS)
            entered.append(tab)
    return entered


def _note_headings(tabs: Iterable[Tab], number: int, places: Places) -> None:
    """Note which of the payloads just opened stand at the head of the page."""
    for tab in tabs:
        if name := tab.name(number):
            with suppress(Error):
                shown, arg = f"arg => ({SHOWN})(arg).length", [{name: _text(name)}, HEADINGS]
                tab.person.page.wait_for_function(shown, arg=arg, timeout=SOON_MS, polling=LOOK_MS)
                places.headings.add(name)
                places.titles.add(name)


def _shown(tab: Tab, names: Iterable[str], where: str) -> list[str]:
    found: list[str] = tab.person.page.evaluate(SHOWN, [{name: _text(name) for name in names}, where])
    return found


def _text(name: str | None) -> str:
    """Return a payload as far as it can stand in a title, "" for none."""
    return payloads()[name][:TITLE_CHARS] if name else ""
