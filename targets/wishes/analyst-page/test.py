"""The table's rows against the seed's rule, with a filter and after one more question."""

import re

from playwright.sync_api import Locator, Page, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim

GROUP, MEMBERS, CONVERSATIONS = "user00", 99, 10  # a filter that leaves out whoever has a role
ASKING, OPEN = "user0059", 3


def accept(scene: Scene) -> None:
    """Read it all, narrow it, ask something, read again."""
    page = _analysis(scene)
    page.get_by_role("row", include_hidden=True).filter(has_text="Conversation 1").first.wait_for(state="attached")
    chart = page.get_by_role("img").or_(page.get_by_role("graphics-document")).or_(page.locator("canvas, svg[role]"))
    chart = chart.filter(visible=True).last
    expect(chart).to_be_visible(timeout=PATIENCE_MS)
    claim((chart.bounding_box() or {"height": 0})["height"] >= 80, "the chart is no larger than an icon")
    before = _picture(chart)
    _filter(page, GROUP)
    _expect(page, {n: (MEMBERS, MEMBERS * messages(n)) for n in range(1, CONVERSATIONS + 1)})
    _filter(page, ASKING)
    _expect(page, {n: (1, messages(n)) for n in range(1, CONVERSATIONS + 1)})
    person = scene.person(ASKING)
    person.conversation(f"Conversation {OPEN}").click()
    person.page.get_by_role("heading", name=f"Conversation {OPEN}").first.wait_for()
    message = person.message("One more?", ttft_s=0.1, itl_s=0.01)
    person.say(message)
    person.answer(message)
    page = _analysis(scene)
    _filter(page, ASKING)
    _expect(page, {n: (1, messages(n) + 2 * (n == OPEN)) for n in range(1, CONVERSATIONS + 1)})
    chart = page.get_by_role("img").or_(page.get_by_role("graphics-document")).or_(page.locator("canvas, svg[role]"))
    claim(_picture(chart.filter(visible=True).last) != before, "the chart shows the same with and without the filter")


def messages(number: int) -> int:
    """Return how many messages a seeded conversation has (targets/CONTRACT.md)."""
    return 2 * (1 + (number - 1) % 4)


def _analysis(scene: Scene) -> Page:
    page = scene.person("admin").page
    page.get_by_role("link", name="Analysis").or_(page.get_by_role("button", name="Analysis")).first.click()
    page.get_by_role("heading", name="Analysis").wait_for()
    return page


def _filter(page: Page, text: str) -> None:
    box = page.get_by_label("Filter by username").first
    box.fill(text)
    box.press("Enter")


def _expect(page: Page, wanted: dict[int, tuple[int, int]]) -> None:
    """Wait for the rows; a table that is drawn has its cells beside the drawing, for screen readers."""
    rows = page.get_by_role("row", include_hidden=True)
    for number, (conversations, said) in wanted.items():
        cells = rf"Conversation {number}\D+?{_number(conversations)}\D+?{_number(said)}\b"
        found = rows.filter(has=page.get_by_text(f"Conversation {number}", exact=True))
        joined = "[...one.children].map(cell => cell.textContent.trim()).join(' | ')"
        expect(found.first).to_be_attached(timeout=PATIENCE_MS)
        seen = ""
        for _ in range(40):
            seen = str(found.first.evaluate(f"one => {joined}"))
            if re.search(cells, seen):
                break
            page.wait_for_timeout(250)
        else:
            raise AssertionError(f"the row is {seen!r}, not {conversations} conversations with {said} messages")


def _number(value: int) -> str:
    """Return what finds a number with or without a mark between thousands."""
    return rf"\b{value}" if value < 1000 else rf"\b{value // 1000}[,. \u202f\u00a0]?{value % 1000:03d}"


def _picture(chart: Locator) -> bytes:
    chart.page.wait_for_timeout(1500)
    return chart.screenshot()
