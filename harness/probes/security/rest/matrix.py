"""Roles × operations as found: every operation of the contract by everyone it tells apart."""

from harness.probes.client import Client
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import LEAVER, OTHER, OWNER, Kept, Scene, answered
from harness.probes.security.tally import Tally
from harness.probes.world import OPERATIONS
from harness.records.recipe import PASSWORD

ACTORS = ("nobody", "user", "another user", "moderator", "admin", "deactivated user")

#: operation -> status for each of ACTORS; all but "user" try the owner's objects, the deactivated user their own
EXPECTED: dict[str, tuple[int, int, int, int, int, int]] = {
    "login": (200, 200, 200, 200, 200, 401),
    "createToken": (200, 200, 200, 200, 200, 401),
    "me": (401, 200, 200, 200, 200, 401),
    "listConversations": (401, 200, 200, 200, 200, 401),
    "createConversation": (401, 201, 201, 201, 201, 401),
    "getConversation": (401, 200, 404, 200, 200, 401),
    "listMessages": (401, 200, 404, 200, 200, 401),
    "exportConversation": (401, 200, 404, 404, 404, 401),
    "renameConversation": (401, 200, 404, 404, 404, 401),
    "sendMessage": (401, 201, 404, 404, 404, 401),
    "setFeedback": (401, 200, 404, 404, 404, 401),
    "hideMessage": (401, 403, 403, 200, 200, 401),
    "listUsers": (401, 403, 403, 403, 200, 401),
    "updateUser": (401, 403, 403, 403, 200, 401),
    "deleteConversation": (401, 204, 404, 404, 404, 401),
    "logout": (401, 204, 204, 204, 204, 401),
    "health": (200, 200, 200, 200, 200, 200),
    "schema": (200, 200, 200, 200, 200, 200),
}
SIGNING = ("login", "createToken")


def roles(scene: Scene) -> Seen:
    """Return the table of roles and operations."""
    tally = Tally()
    subject = scene.user(LEAVER)["id"]
    own = scene.keep(scene.owner)
    _columns(scene, tally, own, subject)
    wrong = tally.wrong
    return tally.seen("Every status as the contract says." if not wrong else f"{wrong} differ from the contract.")


def _columns(scene: Scene, tally: Tally, own: Kept, subject: int) -> None:
    seen: dict[tuple[str, str], int] = {}
    names = {"another user": OTHER, "moderator": "moderator", "admin": "admin"}
    seen |= _column(scene, "nobody", scene.anonymous(), OWNER, own, subject)
    for actor, name in names.items():
        seen |= _column(scene, actor, scene.world.seeded(name), name, own, subject)
    leaver = scene.signed_in(LEAVER)
    left = scene.keep(leaver)
    path = own.path("updateUser", subject)
    scene.admin.request("PATCH", path, {"is_active": False}).json()
    try:
        seen |= _column(scene, "deactivated user", leaver, LEAVER, left, subject)
    finally:
        scene.admin.request("PATCH", path, {"is_active": True})
    seen |= _column(scene, "user", scene.world.seeded(OWNER), OWNER, own, subject)
    tally.table.append(f"{'':20}" + "".join(f"{actor:>18}" for actor in ACTORS))
    for operation, wanted in EXPECTED.items():
        row = ""
        for actor, status in zip(ACTORS, wanted, strict=True):
            one = seen[operation, actor]
            held = tally.status(f"{operation} as {actor}", (status,), one)
            row += f"{one if held else f'{one} not {status}':>18}"
        tally.table.append(f"{operation:20}{row}")


def _column(
    scene: Scene, actor: str, client: Client, username: str, kept: Kept, subject: int
) -> dict[tuple[str, str], int]:
    """Try all operations as one person; what signs out is the session signed in on the way, never a seeded one."""
    statuses = {}
    leaving = client
    for operation in EXPECTED:
        method, _ = OPERATIONS[operation]
        who = client
        body = scene.body(operation)
        if operation in SIGNING:
            who, body = scene.anonymous(), _credentials(username)
        elif operation == "logout":
            who = leaving
        answer = answered(who, method, kept.path(operation, subject), body)
        statuses[operation, actor] = answer.status
        if operation == "login" and answer.status == 200 and actor != "nobody":
            leaving = who
    return statuses


def _credentials(username: str) -> dict[str, str]:
    return {"username": username, "password": PASSWORD}
