"""SQL injection into every text that a Streamlit page takes: its widgets, its address, its cookie, its sign-in code."""

import re
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from harness.probes.client import Client
from harness.probes.probe import Seen
from harness.probes.security.sql_inputs import DELAYS, FEW, INJECTIONS, SLOW_S, telltale
from harness.probes.security.streamlit.scene import OTHER, OWNER, WRITER, Stage
from harness.probes.security.streamlit.wire import Session
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

ALL = (*INJECTIONS, *DELAYS)
TITLE_CHARS = 200  # what the page takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One place that takes a text: puts it there and returns what is wrong with what came, None for nothing."""

    name: str
    put: Callable[[Session, str], str | None]
    texts: tuple[str, ...] = ALL


def sql(stage: Stage) -> Seen:
    """Return what the inputs did; passed where each was text and nothing else, and other people's data is as before."""
    tally, kept = Tally(), stage.keep()
    before = (kept.state(), *(stage.user(name) for name in (OWNER, OTHER, "moderator", "admin")))
    places = 0
    with stage.open(WRITER) as page:
        for place in (_message(stage), _search(), _rename(stage)):
            places += 1
            _all(stage, tally, page, place)
    with stage.users_page("") as page:
        places += 1
        _all(stage, tally, page, _search_users())
        if hasattr(kept.role.element, "raw_value"):
            places += 1
            _all(stage, tally, page, _role(stage))
        else:
            tally.fact("A role is sent as a number to this version of Streamlit: no text goes there.")
    with stage.open() as page:
        for place in (
            _signing("Username", stage),
            _signing("Password", stage),
            _address(stage),
            _cookie(stage),
            _code(stage),
        ):
            places += 1
            _all(stage, tally, page, place)
    after = (kept.state(), *(stage.user(name) for name in (OWNER, OTHER, "moderator", "admin")))
    tally.same("users, roles and other people's conversations afterwards", before, after)
    return tally.seen(f"{tally.wrong} of {tally.inputs} inputs at {places} places did anything.")


def _all(stage: Stage, tally: Tally, page: Session, place: Input) -> None:
    for text in place.texts:
        page.raw, page.errors[:] = b"", []
        wrong, took_s = _timed(page, place, text)
        body = page.raw.decode(errors="replace")
        slow = took_s > SLOW_S and _timed(page, place, text)[1] > SLOW_S > 2 * _timed(page, place, "harmless")[1]
        let_out = "the owner's words" if stage.secret in body else telltale(body)
        wrong = (
            (f"waited {took_s:.1f} s" if slow else None)
            or (f"let out {let_out!r}" if let_out else None)
            or (f"an exception: {page.errors[0]}" if page.errors else None)
            or wrong
        )
        tally.note(f"{place.name} {text!r}", "nothing", wrong or "nothing", wrong is None)


def _timed(page: Session, place: Input, text: str) -> tuple[str | None, float]:
    begun_s = time.monotonic()
    return place.put(page, text), time.monotonic() - begun_s


def _plain(label: str) -> str:
    """Undo the escapes by which the app keeps a title from being read as Markdown."""
    return re.sub(r"\\(.)", r"\1", label)


def _message(stage: Stage) -> Input:
    def put(page: Session, text: str) -> str | None:
        page.send(stage.message(text, tokens=2))
        texts = [one.label for one in page.page if one.kind == "text"]
        return (
            None if any(one.startswith(f"{text} tag-") for one in texts) else "the message is not on the page as it was"
        )

    return Input(name="message", put=put)


def _search() -> Input:
    def put(page: Session, text: str) -> str | None:
        box = page.find("text_input", "Search conversations")
        page.run(page.state(box.id, string_value=text))
        found = [_plain(one.label) for one in page.page if "-open-" in one.id]
        strangers = [one for one in found if " ".join(text.split()).lower() not in one.lower()]
        return f"found {strangers[0]!r}" if strangers else None

    return Input(name="search of conversations", put=put)


def _rename(stage: Stage) -> Input:
    def put(page: Session, text: str) -> str | None:
        if not page.has("button", "Manage"):
            stage.begin(page, "To be renamed.")
            page.run()
        page.click(page.find("button", "Manage"))
        title, button = page.find("text_input", "Title"), page.find("button", "Rename")
        page.run(
            page.state(title.id, string_value=text), page.state(button.id, trigger_value=True), fragment=title.fragment
        )
        page.run()
        titles = [_plain(one.label) for one in page.page if "-open-" in one.id]
        return None if text in titles else "the title is not listed as it was given"

    return Input(name="title", put=put, texts=tuple(one for one in ALL if len(one) <= TITLE_CHARS))


def _search_users() -> Input:
    def put(page: Session, text: str) -> str | None:
        box = page.find("text_input", "Search users")
        page.run(page.state(box.id, string_value=text))
        found = [_plain(one.label).removeprefix("Role of ") for one in page.page if one.kind == "selectbox"]
        strangers = [one for one in found if text.lower() not in one.lower()]
        return f"found {strangers[0]!r}" if strangers else None

    return Input(name="search of users", put=put)


def _role(stage: Stage) -> Input:
    def put(page: Session, text: str) -> str | None:
        box = page.find("text_input", "Search users")
        page.run(page.state(box.id, string_value=OTHER))
        role = page.find("selectbox", OTHER)
        page.run(page.state(box.id, string_value=OTHER), page.state(role.id, string_value=text))
        page.errors.clear()  # a role that is none is refused by an exception, which is no leak
        return None if stage.user(OTHER)[0] == "user" else "the role was changed"

    return Input(name="role", put=put, texts=FEW)


def _signing(field: str, stage: Stage) -> Input:
    def put(_: Session, text: str) -> str | None:
        with stage.open() as page:
            stage.sign_in(page, *((text, PASSWORD) if field == "Username" else (OTHER, text)))
            return "signed in" if page.has("button", "Sign out") else None

    return Input(name=f"sign-in {field.lower()}", put=put, texts=FEW)


def _address(stage: Stage) -> Input:
    def put(shared: Session, text: str) -> str | None:
        with stage.open(WRITER, query=f"conversation={urllib.parse.quote(text)}") as page:
            shared.raw, shared.errors = page.raw, page.errors
            return "a conversation is open" if page.has("button", "Manage") else None

    return Input(name="conversation in the address", put=put)


def _cookie(stage: Stage) -> Input:
    def put(shared: Session, text: str) -> str | None:
        with stage.open(cookie=urllib.parse.quote(text, safe=" '()=*/-")) as page:
            shared.raw, shared.errors = page.raw, page.errors
            return "signed in" if page.has("button", "Sign out") else None

    return Input(name="session cookie", put=put)


def _code(stage: Stage) -> Input:
    def put(shared: Session, text: str) -> str | None:
        value = text.encode("ascii", "replace").decode()
        answer = Client(stage.base_url).request("POST", "/session", b"", csrf=False, headers={"X-Sign-In-Code": value})
        shared.raw = answer.body
        return None if answer.status == 403 else f"answered {answer.status}"

    return Input(name="sign-in code", put=put)
