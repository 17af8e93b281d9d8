"""The probes of access: roles × operations, other people's objects, requests without a session."""

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.probe import Seen
from harness.probes.security.forms.scene import (
    LEAVER,
    OPERATIONS,
    OTHER,
    OWNER,
    SIGN_IN,
    UNKNOWN_ID,
    Kept,
    Scene,
    answered,
    outcome,
    send,
    unlike,
)
from harness.probes.security.rest.anonymous import PATHS, TELLTALE
from harness.probes.security.tally import Tally
from harness.records.recipe import PASSWORD

ACTORS = ("nobody", "user", "another user", "moderator", "admin", "deactivated user")
FIRST = "sign in first"
#: operation -> what comes of it for each of ACTORS; all but "user" try the owner's, the deactivated user their own
EXPECTED: dict[str, tuple[str, str, str, str, str, str]] = {
    "sign in": ("done", "done", "done", "done", "done", FIRST),
    "list": (FIRST, "shown", "shown", "shown", "shown", FIRST),
    "begin": (FIRST, "done", "done", "done", "done", FIRST),
    "begin by a message": (FIRST, "done", "done", "done", "done", FIRST),
    "open": (FIRST, "shown", "404", "shown", "shown", FIRST),
    "export": (FIRST, "shown", "404", "404", "404", FIRST),
    "rename": (FIRST, "done", "404", "404", "404", FIRST),
    "send": (FIRST, "done", "404", "404", "404", FIRST),
    "rate": (FIRST, "done", "404", "404", "404", FIRST),
    "hide": (FIRST, "403", "403", "done", "done", FIRST),
    "list users": (FIRST, "403", "403", "403", "shown", FIRST),
    "change user": (FIRST, "403", "403", "403", "done", FIRST),
    "delete": (FIRST, "done", "404", "404", "404", FIRST),
    "sign out": (FIRST, FIRST, FIRST, FIRST, FIRST, FIRST),  # it leads to the sign-in page whoever asks
    "health": ("shown", "shown", "shown", "shown", "shown", "shown"),
}
OPEN = ("sign in", "sign out", "health")
WRITING = ("export", "rename", "send", "rate", "delete")
#: fields by which a careless server lets a client say whose a new object is
SMUGGLED = ("owner", "user", "user_id")


def roles(scene: Scene) -> Seen:
    """Return the table of roles and operations."""
    tally = Tally()
    number = scene.user(LEAVER)[0]
    own = scene.kept
    seen = _column(scene, "nobody", scene.anonymous(), OWNER, own, number)
    for actor, name in {"another user": OTHER, "moderator": "moderator", "admin": "admin"}.items():
        seen |= _column(scene, actor, scene.site.seeded(name), name, own, number)
    leaver, _ = scene.signed_in(LEAVER)
    left = scene.keep(leaver)
    gone = send(scene.admin, own.path("change user", number), is_active="false")
    try:
        expect(gone.status == 302 and scene.user(LEAVER)[2] == "Activate", f"deactivating answered {gone.status}")
        seen |= _column(scene, "deactivated user", leaver, LEAVER, left, number)
    finally:
        send(scene.admin, own.path("change user", number), is_active="true")
    seen |= _column(scene, "user", scene.site.seeded(OWNER), OWNER, own, number)
    tally.table.append(f"{'':20}" + "".join(f"{actor:>18}" for actor in ACTORS))
    for operation, wanted in EXPECTED.items():
        row = ""
        for actor, one in zip(ACTORS, wanted, strict=True):
            found = seen[operation, actor]
            held = tally.note(f"{operation} as {actor}", one, found, found == one)
            row += f"{found if held else f'{found} not {one}':>18}"
        tally.table.append(f"{operation:20}{row}")
    return tally.seen(f"{tally.wrong} differ from the contract." if tally.wrong else "Everything as the contract says.")


def _column(
    scene: Scene, actor: str, browser: Client, username: str, kept: Kept, number: str
) -> dict[tuple[str, str], str]:
    """Try all operations as one person; what signs out is the session signed in on the way, never a seeded one."""
    found = {}
    leaving = browser
    for operation in EXPECTED:
        if operation == "sign in":
            visitor = scene.anonymous()
            answer = send(visitor, SIGN_IN, username=username, password=PASSWORD)
            leaving = visitor if answer.status == 302 and actor != "nobody" else browser
        else:
            answer = scene.try_one(
                leaving if operation == "sign out" else browser, operation, kept.path(operation, number)
            )
        found[operation, actor] = outcome(answer)
    return found


def objects(scene: Scene) -> Seen:
    """Return what becomes of other people's ids; passed where nothing was shown and nothing changed."""
    tally = Tally()
    kept = scene.kept
    before = kept.state()
    tries = {"another user": (scene.other, ("open", *WRITING)), "a moderator": (scene.moderator, WRITING)}
    for actor, (browser, operations) in (tries | {"an admin": (scene.admin, WRITING)}).items():
        for operation in operations:
            answer = scene.try_one(browser, operation, kept.path(operation))
            _note(scene, tally, f"{operation} by {actor}", answer, (404,))
    markdown = answered(scene.other, "GET", kept.path("export").replace("json", "markdown"))
    _note(scene, tally, "export as Markdown by another user", markdown, (404,))
    hidden = send(scene.other, kept.path("hide"), hidden="true")
    _note(scene, tally, "hide by another user", hidden, (403,))
    _smuggled(scene, tally)
    taken = unlike(answered(scene.other, "GET", kept.path("open")), kept.conversation_id)
    free = unlike(answered(scene.other, "GET", f"/c/{UNKNOWN_ID}"), UNKNOWN_ID)
    same = "the same" if taken == free else "another"
    tally.note("an id that exists beside one that does not", "the same answer", same, taken == free)
    tally.same("the conversation afterwards", before, kept.state())
    return tally.seen()


def _note(scene: Scene, tally: Tally, what: str, answer: Answer, wanted: tuple[int, ...]) -> None:
    shown = scene.secret.encode() in answer.body
    seen = f"{answer.status}, the owner's words in it" if shown else str(answer.status)
    tally.note(what, " or ".join(map(str, wanted)), seen, answer.status in wanted and not shown)


def _smuggled(scene: Scene, tally: Tally) -> None:
    """Begin a conversation for the owner, and ask for the owner's list, by fields that the forms do not have."""
    number = scene.user(OWNER)[0]
    for field in SMUGGLED:
        value = OWNER if field == "owner" else number
        text = scene.message(f"From {OTHER} as {field}")
        answer = send(scene.other, "/messages", **{"content": text, field: value})
        given = answered(scene.owner, "GET", answer.header("Location") or "/c/none").status == 200
        seen = "the owner has it now" if given else str(answer.status)
        tally.note(f"a conversation begun with {field!r} of the owner", "refused, or one's own", seen, not given)
        _note(
            scene,
            tally,
            f"one's list with ?{field}= of the owner",
            answered(scene.other, "GET", f"/?{field}={value}"),
            (200, 400),
        )


def anonymous(scene: Scene) -> Seen:
    """Return what is open to nobody in particular; signing in and out, and ``/health``, are open by contract."""
    tally = Tally()
    kept = scene.kept
    number = scene.user("user0001")[0]
    before = kept.state()
    strangers = {"without a session": None, "with a made-up session": "0" * 32}
    for operation in OPERATIONS:
        for how, session in strangers.items() if operation not in OPEN else ():
            answer = scene.try_one(Client(scene.base_url, session=session), operation, kept.path(operation, number))
            leaked = ", the owner's words in it" if scene.secret.encode() in answer.body else ""
            seen = outcome(answer) + leaked
            tally.note(f"{operation} {how}", FIRST, seen, seen == FIRST)
    for path in (*PATHS, "/users/", "/accounts/login/", "/static/chat.sqlite3"):
        answer = answered(scene.anonymous(), "GET", path)
        let_out = next((word.decode() for word in TELLTALE if word in answer.body), None)
        harmless = 400 <= answer.status < 500 or outcome(answer) == FIRST
        seen = f"{answer.status} with {let_out!r} in it" if let_out else str(answer.status)
        tally.note(f"GET {path}", "refused", seen, harmless and let_out is None)
    tally.same("what was asked for afterwards", before, kept.state())
    return tally.seen()
