"""Another user's objects: read, written, renamed, deleted, exported, rated and hidden by their ids."""

import json
from typing import Any

from harness.probes.client import Answer, Client
from harness.probes.probe import Seen
from harness.probes.security.rest.scene import OTHER, OWNER, UNKNOWN_ID, Kept, Scene, answered
from harness.probes.security.tally import Tally
from harness.probes.world import OPERATIONS

READING = ("getConversation", "listMessages")
WRITING = ("exportConversation", "renameConversation", "sendMessage", "setFeedback", "deleteConversation")
#: fields by which a careless server lets a client say whose a new object is
SMUGGLED = ("owner", "user", "user_id")


def objects(scene: Scene) -> Seen:
    """Return what becomes of other people's ids; passed where nothing was shown and nothing changed."""
    tally = Tally()
    kept = scene.kept
    before = kept.state()
    for operation in (*READING, *WRITING):
        _refused(scene, tally, kept, operation, "another user", scene.other)
    for actor, client in (("a moderator", scene.moderator), ("an admin", scene.admin)):
        for operation in WRITING:
            _refused(scene, tally, kept, operation, actor, client)
    _export_as_markdown(scene, tally, kept)
    hidden = answered(scene.other, "POST", kept.path("hideMessage"), {"hidden": True})
    _note(scene, tally, "hideMessage by another user", hidden, (403,))
    _smuggled(scene, tally)
    _same_as_unknown(scene, tally, kept)
    after = kept.state()
    tally.same("the conversation afterwards", before, after)
    return tally.seen()


def _refused(scene: Scene, tally: Tally, kept: Kept, operation: str, actor: str, client: Client) -> None:
    method, _ = OPERATIONS[operation]
    answer = answered(client, method, kept.path(operation), scene.body(operation))
    _note(scene, tally, f"{operation} by {actor}", answer, (404,))


def _note(scene: Scene, tally: Tally, what: str, answer: Answer, wanted: tuple[int, ...]) -> None:
    shown = scene.secret.encode() in answer.body
    seen = f"{answer.status}, the owner's words in it" if shown else str(answer.status)
    tally.note(what, " or ".join(map(str, wanted)), seen, answer.status in wanted and not shown)


def _export_as_markdown(scene: Scene, tally: Tally, kept: Kept) -> None:
    path = kept.path("exportConversation") + "?format=markdown"
    _note(scene, tally, "exportConversation as Markdown by another user", answered(scene.other, "GET", path), (404,))


def _smuggled(scene: Scene, tally: Tally) -> None:
    """Ask for the owner's list, and give a new conversation to the owner, by fields that the contract does not have."""
    owner_id = scene.user(OWNER)["id"]
    owned = _ids(scene.owner)
    for field in SMUGGLED:
        value: object = OWNER if field == "owner" else owner_id
        answer = answered(scene.other, "POST", "/api/conversations", {"title": f"From {OTHER}", field: value})
        given = _ids(scene.owner) - owned
        seen = "the owner has it now" if given else str(answer.status)
        tally.note(f"a new conversation with {field!r} of the owner", "refused, or one's own", seen, not given)
        listed = answered(scene.other, "GET", f"/api/conversations?{field}={value}")
        _note(scene, tally, f"one's list with ?{field}= of the owner", listed, (200, 400))


def _ids(client: Client) -> set[str]:
    return {one["id"] for one in client.request("GET", "/api/conversations").json()["results"]}


def _same_as_unknown(scene: Scene, tally: Tally, kept: Kept) -> None:
    """An id that exists must answer like one that does not, or ids can be told apart by asking."""
    taken = answered(scene.other, "GET", kept.path("getConversation"))
    free = answered(scene.other, "GET", OPERATIONS["getConversation"][1].replace("{id}", UNKNOWN_ID))
    same = (taken.status, _without_id(taken, kept.conversation_id)) == (free.status, _without_id(free, UNKNOWN_ID))
    tally.note("an id that exists beside one that does not", "the same answer", "the same" if same else "another", same)


def _without_id(answer: Answer, subject: str) -> Any:
    text = answer.body.decode(errors="replace").replace(subject, "")
    try:
        return json.loads(text)
    except ValueError:
        return text
