"""The checks of permissions by role (signed out, other user, moderator, admin), of moderation and of administration."""

from functools import partial
from typing import Any

from harness.probes.claims import Probe, Probes, expect
from harness.probes.client import Client
from harness.probes.shapes import MESSAGE, PAGE, USER, expect_shape
from harness.probes.world import OPERATIONS, OWNER, SUBJECT, RestWorld
from harness.records.recipe import PASSWORD

PROBES: Probes[RestWorld] = Probes()

#: a valid body for every operation that takes one
BODIES: dict[str, Any] = {
    "createConversation": {"title": "Not allowed"},
    "renameConversation": {"title": "Not allowed"},
    "sendMessage": {"content": "Not allowed"},
    "setFeedback": {"value": "up"},
    "hideMessage": {"hidden": True},
    "updateUser": {"role": "admin"},
    "login": {"username": OWNER, "password": PASSWORD},
}
OPEN = ("login", "createToken", "health", "schema")
READING = ("getConversation", "listMessages")
WRITING = ("renameConversation", "sendMessage", "setFeedback", "exportConversation", "deleteConversation")
UNSAFE = (
    "logout",
    "createConversation",
    "renameConversation",
    "sendMessage",
    "setFeedback",
    "hideMessage",
    "updateUser",
    "deleteConversation",
)


def probes() -> list[Probe[RestWorld]]:
    """Return the probes of the table of roles and operations, then those of what moderating and administering do."""
    table = [
        Probe(name, "nobody signed in: 401", partial(_signed_out, name)) for name in OPERATIONS if name not in OPEN
    ]
    table += [Probe(name, "without the CSRF token: 403", partial(_without_csrf, name)) for name in UNSAFE]
    table += [Probe(name, "somebody else's: 404 for users", partial(_others, name)) for name in READING]
    table += [Probe(name, "anybody's for moderators and admins", partial(_readable, name)) for name in READING]
    table += [Probe(name, "somebody else's: 404 for every role", partial(_unwritable, name)) for name in WRITING]
    return [*table, *PROBES]


def _attempt(world: RestWorld, client: Client, operation: str, *, csrf: bool = True) -> Any:
    """Try an operation on the owner's conversation, answer, or account."""
    method, path = OPERATIONS[operation]
    subject = world.shared["id"]
    if path.startswith("/api/messages"):
        subject = world.shared_answer["id"]
    elif path.startswith("/api/admin"):
        subject = str(_user(world, OWNER)["id"])
    return client.request(method, path.replace("{id}", subject), BODIES.get(operation), csrf=csrf)


def _signed_out(operation: str, world: RestWorld) -> None:
    client = Client(world.base_url)
    _attempt(world, client, operation).problem(401)
    _attempt(world, Client(world.base_url, session="0" * 32), operation).problem(401)
    _attempt(world, Client(world.base_url, bearer="0" * 43), operation).problem(401)


def _without_csrf(operation: str, world: RestWorld) -> None:
    owner = world.admin if operation in ("hideMessage", "updateUser") else world.owner
    owner.request("GET", "/api/auth/me")  # the cookie is there, the header is not
    _attempt(world, owner, operation, csrf=False).problem(403)
    world.owner.request("GET", f"/api/conversations/{world.shared['id']}").json()


def _others(operation: str, world: RestWorld) -> None:
    _attempt(world, world.other, operation).problem(404)


def _readable(operation: str, world: RestWorld) -> None:
    for client in (world.moderator, world.admin):
        _attempt(world, client, operation).json()


def _unwritable(operation: str, world: RestWorld) -> None:
    before = world.history(world.owner, world.shared["id"])
    for client in (world.other, world.moderator, world.admin):
        _attempt(world, client, operation).problem(404)
    expect(world.history(world.owner, world.shared["id"]) == before, "a refused operation changed the conversation")


@PROBES.proves("hideMessage", "403 for users, on answers that exist and that do not")
def _hide_refused(world: RestWorld) -> None:
    for client in (world.owner, world.other):
        _attempt(world, client, "hideMessage").problem(403)
    unknown = "/api/messages/00000000-0000-4000-8000-000000000000/hide"
    world.owner.request("POST", unknown, {"hidden": True}).problem(403)
    world.moderator.request("POST", unknown, {"hidden": True}).problem(404)


@PROBES.proves("hideMessage", "moderators and admins hide and show: people see that it is hidden, not its text")
def _hide(world: RestWorld) -> None:
    answer = world.shared_answer
    path = f"/api/messages/{answer['id']}/hide"
    for client in (world.moderator, world.admin):
        hidden = expect_shape(client.request("POST", path, {"hidden": True}).json(), MESSAGE, "the hidden answer")
        expect(hidden["hidden"] is True, "the answer is not marked as hidden")
        expect(_content(world, world.owner) == (True, ""), f"the owner sees {_content(world, world.owner)!r}")
        expect(_content(world, client) == (True, answer["content"]), "who moderates no longer sees the text")
        export = world.owner.request("GET", f"/api/conversations/{world.shared['id']}/export").body.decode()
        expect(answer["content"].strip() not in export, "the owner's export shows the hidden text")
        client.request("POST", path, {"hidden": False}).json()
        expect(_content(world, world.owner) == (False, answer["content"]), "an answer shown again is not as before")
    question = next(m for m in world.history(world.owner, world.shared["id"]) if m["role"] == "user")
    world.moderator.request("POST", f"/api/messages/{question['id']}/hide", {"hidden": True}).problem(400)


def _content(world: RestWorld, client: Client) -> tuple[bool, str]:
    messages = world.history(client, world.shared["id"])
    answer = next(m for m in messages if m["id"] == world.shared_answer["id"])
    return answer["hidden"], answer["content"]


def _user(world: RestWorld, username: str) -> dict[str, Any]:
    page = expect_shape(world.admin.request("GET", f"/api/admin/users?search={username}").json(), PAGE, "the page")
    found = [user for user in page["results"] if user["username"] == username]
    expect(len(found) == 1, f"searching {username!r} finds it {len(found)} times")
    return expect_shape(found[0], USER, "a user of the page")


@PROBES.proves("listUsers", "403 for users and moderators; the admin sees all, 50 a page, and finds one by name")
def _list_users(world: RestWorld) -> None:
    for client in (world.owner, world.moderator):
        client.request("GET", "/api/admin/users").problem(403)
    page = expect_shape(world.admin.request("GET", "/api/admin/users").json(), PAGE, "the page")
    names = [expect_shape(user, USER, "a user of the page")["username"] for user in page["results"]]
    expect(names == sorted(names), "the users are not in the order of their names")
    expect(page["count"] > len(names) or page["next"] is None, f"{page['count']} counted, {len(names)} listed")
    expect(len(names) == min(50, page["count"]), f"the page has {len(names)} of {page['count']} users")
    for username, role in ((OWNER, "user"), ("moderator", "moderator"), ("admin", "admin")):
        expect(_user(world, username)["role"] == role, f"{username} has the role {_user(world, username)['role']!r}")


@PROBES.proves("updateUser", "403 for users and moderators; an unknown role is 400, an unknown user 404")
def _update_refused(world: RestWorld) -> None:
    for client in (world.owner, world.moderator):
        _attempt(world, client, "updateUser").problem(403)
    path = f"/api/admin/users/{_user(world, SUBJECT)['id']}"
    for body in ({"role": "emperor"}, {"is_active": "perhaps"}, {"username": "another"}, {}):
        world.admin.request("PATCH", path, body).problem(400)
    world.admin.request("PATCH", "/api/admin/users/2147483647", {"role": "user"}).problem(404)
    expect(_user(world, OWNER)["role"] == "user", "a refused change was made")


@PROBES.proves("updateUser", "admins cannot change their own role or deactivate themselves: 400")
def _update_self(world: RestWorld) -> None:
    path = f"/api/admin/users/{_user(world, 'admin')['id']}"
    for body in ({"role": "user"}, {"is_active": False}):
        world.admin.request("PATCH", path, body).problem(400)
    world.admin.request("GET", "/api/admin/users").json()


@PROBES.proves("updateUser", "a new role works at once")
def _promote(world: RestWorld) -> None:
    subject, path = world.seeded(SUBJECT), f"/api/admin/users/{_user(world, SUBJECT)['id']}"
    changed = expect_shape(world.admin.request("PATCH", path, {"role": "moderator"}).json(), USER, "the user")
    try:
        expect(changed["role"] == "moderator", f"the role is {changed['role']!r}")
        _attempt(world, subject, "getConversation").json()
    finally:
        world.admin.request("PATCH", path, {"role": "user"})
    _attempt(world, subject, "getConversation").problem(404)


@PROBES.proves("updateUser", "deactivating signs out at once, sessions and tokens, and no sign-in works")
def _deactivate(world: RestWorld) -> None:
    credentials = {"username": SUBJECT, "password": PASSWORD}
    browser = Client(world.base_url)
    browser.request("POST", "/api/auth/login", credentials).json()
    program = Client(world.base_url, bearer=browser.request("POST", "/api/auth/token", credentials).json()["token"])
    path = f"/api/admin/users/{_user(world, SUBJECT)['id']}"
    for client in (browser, program):
        client.request("GET", "/api/auth/me").json()
    try:
        expect(world.admin.request("PATCH", path, {"is_active": False}).json()["is_active"] is False, "still active")
        for client in (browser, program):
            client.request("GET", "/api/auth/me").problem(401)
        Client(world.base_url).request("POST", "/api/auth/login", credentials).problem(401)
    finally:
        world.admin.request("PATCH", path, {"is_active": True})
