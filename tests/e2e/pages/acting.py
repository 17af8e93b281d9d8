"""Acts of people who judge answers and look after accounts, in every front end, found by roles and names."""

import time
from contextlib import suppress

from playwright.sync_api import Error, Locator, Page, expect

from harness.probes.browser.person import MESSAGES, PATIENCE_MS, Person
from harness.probes.world import Message

RATINGS = {"up": ("Good answer", "Thumbs up"), "down": ("Bad answer", "Thumbs down")}
#: Streamlit 1.44 tells it by the kind of a button alone
IS_CHOSEN = (
    "one => [one.ariaPressed, one.ariaChecked, String(one.checked)].includes('true')"
    " || Boolean(one.getAttribute('kind')?.endsWith('Active'))"
)


def rating(person: Person, message: Message, value: str) -> Locator:
    """Return the control that rates an answer ``up`` or ``down``."""
    ours, streamlits = RATINGS[value]
    answer = person.answer(message)
    nameless = answer.get_by_role("radiogroup").get_by_role("button").filter(has_text=f"thumb_{value}")  # of 1.44
    return answer.get_by_role("button", name=ours).or_(answer.get_by_role("radio", name=streamlits)).or_(nameless)


def expect_chosen(control: Locator, chosen: bool) -> None:
    """Wait until a control is pressed or checked, or is no longer."""
    _until(control, f"(one, chosen) => ({IS_CHOSEN})(one) === chosen", chosen)


def _until(control: Locator, holds: str, wanted: object) -> None:
    """Wait until something holds for what stands there by then: a page may draw its controls anew at any time."""
    until_s = time.monotonic() + PATIENCE_MS / 1000
    while True:
        with suppress(Error):  # the page was on its way to another
            if control.evaluate(holds, wanted):
                return
        assert time.monotonic() < until_s, f"never came to be {wanted!r}: {control}"
        control.page.wait_for_timeout(50)


def moderate(person: Person, message: Message, act: str) -> None:
    """``Hide`` an answer or ``Show again`` what is hidden, in the conversation or on a page for that."""
    desk = person.page.get_by_role("link", name="Moderation")
    here = person.page.locator(MESSAGES).filter(has_text=message.nonce)
    desk.or_(here).first.wait_for()
    if desk.is_visible():
        desk.click()
        newest = person.page.get_by_role("radio", name="Newest")
        newest.or_(person.page.get_by_role("button", name="Newest")).click()
        entry = person.page.get_by_test_id("stVerticalBlock").filter(has_text=message.nonce).last
        control = entry.get_by_role("button", name=act)
    else:
        control = here.last.get_by_role("button", name="Hide answer" if act == "Hide" else "Show answer again")
    control.click()
    control.wait_for(state="hidden")


def open_account(page: Page, username: str) -> Locator:
    """Look a user up on the page of all users, and return the box with the role."""
    box = page.get_by_label("Search users")
    box.fill(username)
    box.press("Enter")
    expect(page.get_by_role("combobox", name="Role of ")).to_have_count(1)
    return page.get_by_role("combobox", name=f"Role of {username}")


def choose_role(box: Locator, role: str) -> None:
    """Choose another role."""
    if box.evaluate("one => one.tagName") == "SELECT":
        box.select_option(role)
    else:
        box.click()
        box.page.get_by_role("option", name=role, exact=True).click()


def expect_role(box: Locator, role: str) -> None:
    """Wait until an account has this role."""
    _until(box, "(one, role) => one.value === role || one.ariaLabel?.startsWith(`Selected ${role}.`)", role)


def switch_account(page: Page, username: str, act: str) -> None:
    """``Deactivate`` or ``Activate`` the one account that was looked up."""
    switch = page.get_by_role("switch", name="Active").or_(page.get_by_role("checkbox", name="Active"))
    control = page.get_by_role("button", name=f"{act} {username}", exact=True).or_(switch)
    expect(control).to_be_enabled()  # not while the role is being saved
    control.press("Space")
    _switched(page, username, act).wait_for(state="attached")  # the box itself may be drawn over
    page.wait_for_timeout(500)  # it is saved a moment after it is shown
    page.reload()
    open_account(page, username)
    _switched(page, username, act).wait_for(state="attached")


def _switched(page: Page, username: str, act: str) -> Locator:
    other = {"Activate": "Deactivate", "Deactivate": "Activate"}[act]
    checked = [page.get_by_role(role, name="Active", checked=act == "Activate") for role in ("switch", "checkbox")]
    return page.get_by_role("button", name=f"{other} {username}", exact=True).or_(checked[0]).or_(checked[1])
