"""The permissions on a Streamlit page, tried by its widgets and by crafted messages for widgets that it does not show.

Ids of widgets are the same in every session. So each operation is tried by its widget where the page shows it, and by
the id seen on the owner's, a moderator's or an admin's page where it does not; what came of it is looked up on
somebody else's page.
"""

from collections.abc import Callable
from typing import Any

import websocket

from harness.probes.client import Client
from harness.probes.probe import NotMeasuredError, Seen
from harness.probes.security.streamlit.scene import GONE, LEAVER, OTHER, OWNER, Kept, Stage
from harness.probes.security.streamlit.wire import Session
from harness.probes.security.tally import Tally

ACTORS = ("nobody", "user", "another user", "moderator", "admin", "deactivated user")
DONE, REFUSED = "done", "refused"
YES, NO = DONE, REFUSED
#: operation -> what the contract expects for each of ACTORS; all but "user" try the owner's objects
EXPECTED: dict[str, tuple[str, str, str, str, str, str]] = {
    "sign in": (YES, YES, YES, YES, YES, NO),
    "list own conversations": (NO, YES, YES, YES, YES, NO),
    "begin a conversation": (NO, YES, YES, YES, YES, NO),
    "read": (NO, YES, NO, YES, YES, NO),
    "write": (NO, YES, NO, NO, NO, NO),
    "rename": (NO, YES, NO, NO, NO, NO),
    "export": (NO, YES, NO, NO, NO, NO),
    "rate": (NO, YES, NO, NO, NO, NO),
    "hide": (NO, NO, NO, YES, YES, NO),
    "list users": (NO, NO, NO, NO, YES, NO),
    "change a user": (NO, NO, NO, NO, YES, NO),
    "delete": (NO, YES, NO, NO, NO, NO),
}
FILES = (
    "Streamlit makes and serves a download for anybody with its address, in any session or none. "
    "Its only protection is its id, which cannot be guessed: a random UUID, or a hash of the contents. "
    "The id lives as long as the owner's session. "
    "That session outlives the closed page by disconnectedSessionTTL (120 s unless the app sets it). "
    "An app cannot tell who asks."
)
WRITING = ("write", "rename", "export", "rate", "delete")
NAMES = {"user": OWNER, "another user": OTHER, "moderator": "moderator", "admin": "admin", "deactivated user": LEAVER}


def roles(stage: Stage) -> Seen:
    """Return the table of roles and operations."""
    tally, kept = Tally(), stage.keep()
    seen: dict[tuple[str, str], str] = {}
    for actor in ("nobody", "another user", "moderator", "admin"):
        for operation in EXPECTED:
            seen[operation, actor] = _tried(stage, kept, operation, actor)
    seen |= _deactivated(stage, kept)
    for operation in EXPECTED:
        seen[operation, "user"] = _tried(stage, kept, operation, "user")
    tally.table.append(f"{'':24}" + "".join(f"{actor:>20}" for actor in ACTORS))
    for operation, wanted in EXPECTED.items():
        row = ""
        for actor, outcome in zip(ACTORS, wanted, strict=True):
            one = seen[operation, actor]
            held = tally.note(f"{operation} as {actor}", outcome, one, one == outcome)
            row += f"{one if held else f'{one}, not {outcome}':>20}"
        tally.table.append(f"{operation:24}{row}")
    tally.fact("What a page does not show was asked for by crafted messages with the widgets' ids.")
    return tally.seen("As the contract says." if not tally.wrong else f"{tally.wrong} differ from the contract.")


def objects(stage: Stage) -> Seen:
    """Return what becomes of another user's conversation when its number and its widgets' ids are known.

    Raises:
        NotMeasuredError: the owner sees no such conversation or gets no file of it: there is nothing to protect.
    """
    tally, kept = Tally(), stage.keep()
    before = kept.state()
    if before == GONE:
        raise NotMeasuredError("the owner's page does not list the conversation that was just begun")
    for actor, operations in (
        ("another user", ("read", *WRITING, "hide")),
        ("moderator", WRITING),
        ("admin", WRITING),
    ):
        for operation in operations:
            came = _tried(stage, kept, operation, actor)
            tally.note(f"{operation} by {actor}", REFUSED, came, came == REFUSED)
    after = kept.state()
    tally.same("the conversation afterwards", before, after)
    if after != GONE:
        _files(stage, tally, kept)
    return tally.seen()


def _files(stage: Stage, tally: Tally, kept: Kept) -> None:
    """The owner's download, made and fetched by others who know its id and its address."""
    with stage.open(OWNER, query=kept.query) as page:
        page.click(page.find("button", "Manage"))
        button = page.find("download_button", "Export JSON").element
        own = _exported(page, button)
        if not own:
            raise NotMeasuredError("the owner got no address for the download of an own conversation")
        known = {"export without a session by whoever knows the unguessable address": own}
        if not button.url:  # older versions make the file with the page, so that nobody has to ask for that
            with stage.open(OTHER) as another:
                made = _exported(another, button)
            known["export by another user who knows the unguessable id of the owner's file"] = made
        for what, address in known.items():
            answer = Client(stage.base_url).request("GET", address) if address else None
            shown = answer is not None and answer.status == 200 and stage.secret.encode() in answer.body
            seen = "200, the owner's words in it" if shown else str(answer.status) if answer else "no address given"
            tally.note(what, "refused", seen, not shown)
    if any("unguessable" in one.line and not one.passed for one in tally.tries):
        tally.fact(FILES)


def _tried(stage: Stage, kept: Kept, operation: str, actor: str) -> str:
    name = NAMES.get(actor)
    if operation == "sign in":
        return _signs_in(stage, name or OWNER)
    page = stage.open(name, query=kept.query)
    try:
        with page:
            done = OPERATIONS[operation](stage, page, kept, actor)
    except (websocket.WebSocketException, OSError):
        return REFUSED  # the server hung up, or was silent: whether anything came of it is seen afterwards
    return DONE if done else REFUSED


def _signs_in(stage: Stage, name: str) -> str:
    with stage.open() as page:
        if page.has("button", "Sign in"):  # whoever is let in without is in
            stage.sign_in(page, name)
        return DONE if page.has("button", "Sign out") else REFUSED


def _deactivated(stage: Stage, kept: Kept) -> dict[tuple[str, str], str]:
    """Try on a page that was open when its user was deactivated; a user who still sees the page is still in."""
    seen = {}
    with stage.open(LEAVER) as page:
        stage.begin(page, "Soon gone.")
        stage.set_active(LEAVER, False)
        try:
            for operation in EXPECTED:
                if operation == "sign in":
                    seen[operation, "deactivated user"] = _signs_in(stage, LEAVER)
                    continue
                page.raw = b""
                done = OPERATIONS[operation](stage, page, kept, "deactivated user")
                page.run()  # some operations draw a part of the page only
                inside = page.has("button", "Sign out")
                seen[operation, "deactivated user"] = DONE if done or inside else REFUSED
        finally:
            stage.set_active(LEAVER, True)
    return seen


# Operations: (stage, the actor's page, what is kept, actor) -> whether it was done


def _list(_: Stage, page: Session, __: Kept, ___: str) -> bool:
    page.run()
    return any("-open-" in one.id for one in page.page)


def _begin(stage: Stage, page: Session, kept: Kept, _: str) -> bool:
    if page.has("button", "New conversation"):
        page.click(page.find("button", "New conversation"))
    text = stage.message("Begun by the audit.")
    page.run(page.state(kept.chat_input.id, chat=text))
    return page.shows(text)


def _read(stage: Stage, page: Session, kept: Kept, _: str) -> bool:
    page.query = kept.query
    page.run()
    page.run(page.state(kept.open_button.id, trigger_value=True))
    if "moderation" in page.pages:
        kept.newest(page)
    else:
        page.run(script=kept.moderation)
    if kept.moderation or page.shows(stage.secret):
        return page.shows(stage.secret)
    with kept.afresh(page) as another:
        return another.shows(stage.secret)


def _write(stage: Stage, page: Session, kept: Kept, _: str) -> bool:
    text = stage.message("Written by the audit.")
    page.run(page.state(kept.chat_input.id, chat=text))
    return text in kept.state()


def _rename(_: Stage, page: Session, kept: Kept, __: str) -> bool:
    _manage(page)
    states = (page.state(kept.title.id, string_value="Renamed"), page.state(kept.rename.id, trigger_value=True))
    _in_dialog(page, kept.rename.fragment, *states)
    return kept.state()[0] == "Renamed"


def _export(stage: Stage, page: Session, _: Kept, __: str) -> bool:
    """By the button on the actor's own page; what becomes of the owner's button's id is a line of another's objects."""
    _manage(page)
    if not page.has("download_button", "Export JSON"):
        return False
    address = _exported(page, page.find("download_button", "Export JSON").element)
    return bool(address) and stage.secret.encode() in Client(stage.base_url).request("GET", address).body


def _exported(page: Session, button: Any) -> str:
    """Return the address of a download button's file; newer versions make the file when they are asked for it."""
    if button.url:
        return str(button.url)
    wanted = page.messages.back()
    request = wanted.backend_operation_request
    request.session_id, request.request_id = page.session_id, button.deferred_file_id
    request.deferred_file.file_id = button.deferred_file_id
    page.socket.send_binary(wanted.SerializeToString())
    while True:
        news = page.messages.forward.FromString(page.socket.recv())
        if news.WhichOneof("type") == "backend_operation_response":
            return str(news.backend_operation_response.deferred_file.url)


def _rate(_: Stage, page: Session, kept: Kept, __: str) -> bool:
    before = kept.state()
    value: dict[str, Any] = (
        {"string_value": "1"} if kept.rating.kind == "feedback" else {"int_array_value": {"data": [1]}}
    )
    _in_dialog(page, kept.rating.fragment, page.state(kept.rating.id, **value))
    return kept.state() != before


def _hide(_: Stage, page: Session, kept: Kept, __: str) -> bool:
    if not kept.moderation:
        with kept.afresh(page) as another:
            if another.has("button", key=f"hide-{kept.answer}"):
                return _hide_on(another, kept)
    return _hide_on(page, kept)


def _hide_on(page: Session, kept: Kept) -> bool:
    before = kept.state()
    if "moderation" in page.pages:
        kept.newest(page)
    if page.has("button", key=f"hide-{kept.answer}"):
        page.click(page.find("button", key=f"hide-{kept.answer}"))
    else:
        page.run(page.state(kept.hide.id, trigger_value=True), script=kept.moderation)
    done = kept.state() != before
    if done and page.has("button", key=f"hide-{kept.answer}"):
        page.click(page.find("button", key=f"hide-{kept.answer}"))  # show it again
    return done


def _users(_: Stage, page: Session, kept: Kept, __: str) -> bool:
    page.run(script=kept.users)
    return page.has("text_input", "Search users")


def _change(stage: Stage, page: Session, kept: Kept, _: str) -> bool:
    page.run(script=kept.users)
    if page.has("text_input", "Search users"):
        page.run(page.state(page.find("text_input", "Search users").id, string_value=LEAVER))
    newer = hasattr(kept.role.element, "raw_value")
    value: dict[str, Any] = {"string_value": "moderator"} if newer else {"int_value": 1}
    page.run(page.state(kept.role.id, **value), script=kept.users)
    done = stage.user(LEAVER)[0] == "moderator"
    if done:
        with stage.users_page(LEAVER) as ruling:
            role = ruling.find("selectbox", LEAVER)
            ruling.run(ruling.state(role.id, **({"string_value": "user"} if newer else {"int_value": 0})))
    return done


def _delete(_: Stage, page: Session, kept: Kept, __: str) -> bool:
    _manage(page)
    _in_dialog(page, kept.delete.fragment, page.state(kept.delete.id, trigger_value=True))
    return kept.state() == GONE


def _manage(page: Session) -> None:
    """Open the dialog of the open conversation, where the page offers it."""
    if page.has("button", "Manage"):
        page.click(page.find("button", "Manage"))


def _in_dialog(page: Session, fragment: str, *states: Any) -> None:
    """Use widgets of a fragment where the page has drawn it, by a run of the whole script where it has not."""
    drawn = any(one.fragment == fragment for one in page.page)
    page.run(*states, fragment=fragment if drawn else "")


OPERATIONS: dict[str, Callable[[Stage, Session, Kept, str], bool]] = {
    "list own conversations": _list,
    "begin a conversation": _begin,
    "read": _read,
    "write": _write,
    "rename": _rename,
    "export": _export,
    "rate": _rate,
    "hide": _hide,
    "list users": _users,
    "change a user": _change,
    "delete": _delete,
}
