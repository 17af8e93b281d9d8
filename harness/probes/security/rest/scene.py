"""The actors of the REST probes: seeded users, and a conversation to keep from others."""

import http.client
import secrets
from functools import cached_property
from typing import Any

from harness.probes.claims import expect
from harness.probes.client import Answer, Client
from harness.probes.world import OPERATIONS, RestWorld
from harness.records.recipe import PASSWORD

OWNER, OTHER, LEAVER, FORGETTER, WRITER = "user0041", "user0042", "user0043", "user0044", "user0045"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


class Scene:
    """A running target and the people of the audit."""

    def __init__(self, base_url: str, *, seed: int) -> None:
        self.base_url, self.seed = base_url, seed
        self.world = RestWorld(base_url, seed=seed)
        self.secret = f"kept-{secrets.token_hex(6)}"  # in title and message of what only the owner may see
        self.owner, self.other, self.writer = (self.world.seeded(name) for name in (OWNER, OTHER, WRITER))
        self.moderator, self.admin = self.world.moderator, self.world.admin

    def anonymous(self) -> Client:
        """Return a client without a session."""
        return Client(self.base_url)

    def signed_in(self, username: str) -> Client:
        """Sign in with name and password; raises RefutedError where that is refused."""
        client = Client(self.base_url)
        client.request("POST", "/api/auth/login", {"username": username, "password": PASSWORD}).json()
        return client

    @cached_property
    def kept(self) -> "Kept":
        """A conversation of the owner's with one answer."""
        return self.keep(self.owner)

    def keep(self, client: Client) -> "Kept":
        """Make a conversation with one exchange in it, marked with the secret."""
        conversation = self.world.conversation(client, f"Private {self.secret}")
        message = self.world.message(f"My number is {self.secret}.", tokens=4, ttft_s=0, itl_s=0)
        answer = self.world.ask(client, conversation["id"], message)
        return Kept(client, conversation["id"], answer["id"])

    def user(self, username: str) -> dict[str, Any]:
        """Return a user as the admin sees it."""
        page = self.admin.request("GET", f"/api/admin/users?search={username}").json()
        found = [one for one in page["results"] if one["username"] == username]
        expect(len(found) == 1, f"the admin's search for {username!r} finds it {len(found)} times")
        return dict(found[0])

    def brief(self) -> dict[str, Any]:
        """Return a message that the model answers at once."""
        return {"content": self.world.message("Not for others", tokens=2, ttft_s=0, itl_s=0).content}

    def body(self, operation: str) -> dict[str, Any] | None:
        """Return a valid body for an operation, harmless where somebody may do it."""
        bodies: dict[str, dict[str, Any]] = {
            "createConversation": {"title": "Made by the audit"},
            "renameConversation": {"title": "Renamed by the audit"},
            "setFeedback": {"value": "up"},
            "hideMessage": {"hidden": False},
            "updateUser": {"role": "user"},
            "login": {"username": OWNER, "password": PASSWORD},
            "createToken": {"username": OWNER, "password": PASSWORD},
        }
        return self.brief() if operation == "sendMessage" else bodies.get(operation)


class Kept:
    """A conversation, its answer, and how to tell that nobody changed it."""

    def __init__(self, client: Client, conversation_id: str, answer_id: str) -> None:
        self._client, self.conversation_id, self.answer_id = client, conversation_id, answer_id

    def path(self, operation: str, user_id: object = "") -> str:
        """Return the path of an operation on it (or on a user)."""
        path = OPERATIONS[operation][1]
        subject = self.conversation_id
        if path.startswith("/api/messages"):
            subject = self.answer_id
        elif path.startswith("/api/admin/users"):
            subject = str(user_id)
        return path.replace("{id}", subject)

    def state(self) -> tuple[object, ...]:
        """Return all that its owner sees of it but the time of its last change; statuses where it cannot be seen."""
        conversation = answered(self._client, "GET", self.path("getConversation"))
        messages = answered(self._client, "GET", self.path("listMessages"))
        title = conversation.json()["title"] if conversation.status == 200 else conversation.status
        return title, messages.json()["results"] if messages.status == 200 else messages.status


def answered(client: Client, method: str, path: str, body: object = None, **how: Any) -> Answer:
    """Send a request; a connection that is lost on the way is an answer with status 0."""
    try:
        return client.request(method, path, body, **how)
    except (OSError, http.client.HTTPException):
        return Answer(request=f"{method} {path}", status=0, headers=http.client.HTTPMessage(), body=b"")
