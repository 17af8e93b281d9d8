"""Computed styles of eight elements, on a light and on a dark screen, and the logo."""

from harness.experiments.scene import Scene, claim, colour_behind, message_with, rgb, style
from harness.probes.browser.person import Person

LIGHT = {"page": "#fbf7f0", "sidebar": "#efe6d8", "text": "#23302f", "button": "#0b5a6b"}
DARK = {"page": "#10191c", "sidebar": "#182529", "text": "#e9efe9", "button": "#0b5a6b"}
QUESTION = "Is this our house?"


def accept(scene: Scene) -> None:
    """Look at every element in both colour schemes."""
    for scheme, wanted in (("light", LIGHT), ("dark", DARK)):
        form = scene.visitor(color_scheme=scheme)
        _check_sign_in(form, scheme, {name: rgb(value) for name, value in wanted.items()})
        person = scene.person("user0051", color_scheme=scheme)
        _check_chat(person, scheme, {name: rgb(value) for name, value in wanted.items()})


def _check_sign_in(person: Person, scheme: str, wanted: dict[str, str]) -> None:
    button = person.page.get_by_role("button", name="Sign in", exact=True)
    _same(colour_behind(button), wanted["button"], scheme, "the button Sign in")
    _same(style(button.get_by_text("Sign in").or_(button).last, "color"), "rgb(255, 255, 255)", scheme, "its letters")


def _check_chat(person: Person, scheme: str, wanted: dict[str, str]) -> None:
    page = person.page
    message = person.message(QUESTION)
    person.new_conversation()
    person.say(message)
    answer = person.answer(message).get_by_text("[end]")
    question = message_with(page, QUESTION).get_by_text(QUESTION)
    heading = page.get_by_role("heading", name=QUESTION).first
    search = page.get_by_label("Search conversations")
    box = person.message_box()
    _same(colour_behind(heading), wanted["page"], scheme, "the page behind the heading")
    _same(
        colour_behind(search.locator("xpath=ancestor::*[.//*[self::button]][1]")),
        wanted["sidebar"],
        scheme,
        "the sidebar",
    )
    for name, found in (("an answer", answer), ("a question", question), ("the heading", heading), ("the box", box)):
        _same(style(found, "color"), wanted["text"], scheme, name)
    for name, found, font in (
        ("an answer", answer, "Georgia"),
        ("a question", question, "Georgia"),
        ("the box", box, "Georgia"),
        ("New conversation", page.get_by_role("button", name="New conversation").first, "Georgia"),
        ("the heading", heading, "Palatino"),
    ):
        first = style(found, "font-family").split(",")[0].strip(" \"'")
        _same(first, font, scheme, f"the font of {name}")
    logo = page.get_by_role("img", name="Acme").first
    claim(logo.is_visible(), f"{scheme}: no picture named Acme is to be seen")


def _same(seen: str, wanted: str, scheme: str, what: str) -> None:
    claim(seen == wanted, f"{scheme}: {what} is {seen}, not {wanted}")
