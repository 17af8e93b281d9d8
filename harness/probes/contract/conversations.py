"""Conversations: create, read, rename, delete, search, pages, export; and the seeded ones."""

import urllib.parse
from datetime import datetime
from typing import Any

from harness.probes.claims import Probes, expect
from harness.probes.client import Client
from harness.probes.shapes import CONVERSATION, EXPORT, PAGE, expect_shape
from harness.probes.world import READER, RestWorld, seeded_conversation_id, seeded_texts

PROBES: Probes[RestWorld] = Probes()
PAGE_SIZE = 50
UNUSUAL = "<script>alert(1)</script> & 'quotes' 🧑‍🚀 مرحبا \u202eright to left"


def _page(client: Client, path: str = "/api/conversations") -> dict[str, Any]:
    page = expect_shape(client.request("GET", path).json(), PAGE, "the page")
    for conversation in page["results"]:
        expect_shape(conversation, CONVERSATION, "a conversation of the page")
    return page


def _ids(page: dict[str, Any]) -> list[str]:
    return [conversation["id"] for conversation in page["results"]]


@PROBES.proves("listConversations", "the seeded conversations are there under their ids, the last updated first")
def _seeded_list(world: RestWorld) -> None:
    page = _page(world.reader)
    wanted = [seeded_conversation_id(world.seed, READER, number) for number in range(10)]
    ids = _ids(page)
    expect(set(wanted) <= set(ids), f"of {READER}'s 10 seeded conversations {len(set(wanted) - set(ids))} are missing")
    updated = [datetime.fromisoformat(conversation["updated_at"]) for conversation in page["results"]]
    expect(updated == sorted(updated, reverse=True), "the list is not ordered by the last update")


@PROBES.proves("listMessages", "the seeded messages are those of the contract, oldest first")
def _seeded_messages(world: RestWorld) -> None:
    for number in (0, 3):
        messages = world.history(world.reader, seeded_conversation_id(world.seed, READER, number))
        texts = [message["content"] for message in messages]
        expect(
            texts == seeded_texts(world.seed, READER, number),
            f"conversation {number + 1} of {READER} reads {texts!r}"[:300],
        )
        roles = [message["role"] for message in messages]
        expect(roles == ["user", "assistant"] * (len(roles) // 2), f"the roles are {roles}")


@PROBES.proves("createConversation", "201 with the title as given, whatever it says; read back unchanged")
def _create(world: RestWorld) -> None:
    created = world.conversation(world.owner, UNUSUAL)
    expect(created["title"] == UNUSUAL, f"the title came back as {created['title']!r}")
    read = world.owner.request("GET", f"/api/conversations/{created['id']}").json()
    expect(read == created, f"read back as {read!r}")
    expect(_ids(_page(world.owner))[0] == created["id"], "the newest conversation is not the first of the list")


@PROBES.proves("createConversation", "without a title the first message gives it one")
def _titled_by_message(world: RestWorld) -> None:
    created = world.conversation(world.owner)
    expect(created["title"] == "", f"the title before the first message is {created['title']!r}")
    message = world.message(
        "Could  somebody\nexplain why the sky looks blue at noon and red in the evening hours?", tokens=2, ttft_s=0
    )
    world.ask(world.owner, created["id"], message)
    title = world.owner.request("GET", f"/api/conversations/{created['id']}").json()["title"]
    wanted = " ".join(message.content.split())[:60].strip()
    expect(title.strip() == wanted, f"the title is {title!r}, not {wanted!r}")


@PROBES.proves("getConversation", "an unknown or malformed id: 404")
def _unknown(world: RestWorld) -> None:
    for name in ("00000000-0000-4000-8000-000000000000", "not-an-id"):
        world.owner.request("GET", f"/api/conversations/{name}").problem(404)
        world.owner.request("GET", f"/api/conversations/{name}/messages").problem(404)


@PROBES.proves("renameConversation", "changes the title and nothing else; a blank one is 400")
def _rename(world: RestWorld) -> None:
    created = world.conversation(world.owner, "Before")
    path = f"/api/conversations/{created['id']}"
    renamed = expect_shape(
        world.owner.request("PATCH", path, {"title": "After"}).json(), CONVERSATION, "the conversation"
    )
    expect(renamed["title"] == "After", f"the title is {renamed['title']!r}")
    expect(renamed["created_at"] == created["created_at"], "renaming changed created_at")
    expect(
        "title" in world.owner.request("PATCH", path, {"title": "  "}).problem(400).get("errors", {}),
        "no error names title",
    )
    expect(world.owner.request("GET", path).json()["title"] == "After", "a refused title was stored")


@PROBES.proves("deleteConversation", "204, then it is gone with its messages")
def _delete(world: RestWorld) -> None:
    created = world.conversation(world.owner, "To be deleted")
    answer = world.ask(world.owner, created["id"], world.message(tokens=2, ttft_s=0))
    path = f"/api/conversations/{created['id']}"
    status = world.owner.request("DELETE", path).status
    expect(status == 204, f"DELETE answered {status}, not 204")
    world.owner.request("GET", path).problem(404)
    world.owner.request("GET", f"{path}/messages").problem(404)
    world.owner.request("PUT", f"/api/messages/{answer['id']}/feedback", {"value": "up"}).problem(404)
    expect(created["id"] not in _ids(_page(world.owner)), "a deleted conversation is still listed")


@PROBES.proves("listConversations", "search finds a part of the title in any case, and only that")
def _search(world: RestWorld) -> None:
    found = world.conversation(world.owner, "Zebra crossing 100%")["id"]
    other = world.conversation(world.owner, "Nothing of the kind")["id"]
    for word in ("zEbRa", "100%"):
        ids = _ids(_page(world.owner, f"/api/conversations?search={urllib.parse.quote(word)}"))
        expect(found in ids, f"searching {word!r} does not find it")
        expect(other not in ids, f"searching {word!r} finds what does not contain it")
    pattern = _page(world.owner, "/api/conversations?search=g%251")
    expect(pattern["count"] == 0, "'%' is taken for a pattern, not for itself")
    none = _page(world.other, "/api/conversations?search=zebra+crossing+100")
    expect(none["count"] == 0, "searching finds other people's conversations")


@PROBES.proves("listConversations", "50 a page; next and previous lead through all of them once; past the end is 404")
def _paging(world: RestWorld) -> None:
    made = [world.conversation(world.other, f"Page filler {number}")["id"] for number in range(PAGE_SIZE + 1)]
    first = _page(world.other)
    expect(
        len(first["results"]) == PAGE_SIZE, f"the first page has {len(first['results'])} conversations, not {PAGE_SIZE}"
    )
    expect(first["previous"] is None, f"the first page has a previous one: {first['previous']!r}")
    seen, page = _ids(first), first
    while page["next"] is not None:
        page = _page(world.other, _path(page["next"]))
        seen += _ids(page)
    expect(
        len(seen) == len(set(seen)) == first["count"],
        f"{first['count']} counted, {len(seen)} listed, {len(set(seen))} differ",
    )
    expect(_ids(_page(world.other, _path(page["previous"]))) != _ids(page), "previous leads to the same page")
    world.other.request("GET", "/api/conversations?page=1000").problem(404)
    for conversation_id in made:
        world.other.request("DELETE", f"/api/conversations/{conversation_id}")


def _path(link: str) -> str:
    url = urllib.parse.urlsplit(link)
    return f"{url.path}?{url.query}"


@PROBES.proves("exportConversation", "JSON and Markdown as attachments with every message; another format is 400")
def _export(world: RestWorld) -> None:
    answer, path = world.shared_answer, f"/api/conversations/{world.shared['id']}/export"
    for query in ("", "?format=json"):
        document = world.owner.request("GET", path + query)
        export = expect_shape(document.json(), EXPORT, "the export")
        expect(answer["id"] in [m["id"] for m in export["messages"]], "the export lacks an answer")
        _expect_attachment(document.header("Content-Disposition"), world.shared["id"], "json")
    markdown = world.owner.request("GET", f"{path}?format=markdown")
    expect(
        markdown.status == 200 and markdown.media_type == "text/markdown", f"{markdown.status} {markdown.media_type!r}"
    )
    expect(answer["content"].strip() in markdown.body.decode(), "the Markdown lacks the answer's text")
    _expect_attachment(markdown.header("Content-Disposition"), world.shared["id"], "md")
    for other in ("pdf", ""):
        world.owner.request("GET", f"{path}?format={other}").problem(400)


def _expect_attachment(disposition: str, conversation_id: str, suffix: str) -> None:
    wanted = f"conversation-{conversation_id}.{suffix}"
    expect(disposition.startswith("attachment") and wanted in disposition, f"Content-Disposition is {disposition!r}")
