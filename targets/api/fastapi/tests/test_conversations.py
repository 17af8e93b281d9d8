"""Conversations and messages: everything but sending one."""

import uuid
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Api, World, problem

pytestmark = pytest.mark.anyio


async def created(api: Api, title: str | None = None) -> dict[str, Any]:
    response = await api.call("POST", "/api/conversations", {} if title is None else {"title": title})
    assert response.status_code == 201
    return dict(response.json())


async def titles(api: Api, query: str = "") -> list[str]:
    return [each["title"] for each in (await api.get(f"/api/conversations{query}")).json()["results"]]


async def test_begun_with_and_without_a_title_or_a_body(world: World) -> None:
    api = world.api("ann")
    first = await created(api, "  A <b>title</b> 👩‍👩‍👧 \u202e ")
    assert first["title"] == "A <b>title</b> 👩‍👩‍👧 \u202e"
    assert first["created_at"] == first["updated_at"]
    assert first["created_at"].endswith("Z")
    assert (await created(api))["title"] == ""
    assert (await api.call("POST", "/api/conversations")).json()["title"] == ""
    assert (await api.get(f"/api/conversations/{first['id']}")).json() == first


@pytest.mark.parametrize("title", ["", "  ", "\x1c", "x" * 201, "a\0", 7, None, ["x"]])
async def test_bad_titles_are_refused(world: World, title: object) -> None:
    assert (
        "title" in problem(await world.api("ann").call("POST", "/api/conversations", {"title": title}), 400)["errors"]
    )
    assert "title" in problem(await world.api("ann").call("PATCH", world.path, {"title": title}), 400)["errors"]


async def test_the_last_updated_is_the_first_of_the_list(world: World) -> None:
    api = world.api("ann")
    await created(api, "newer")
    assert await titles(api) == ["newer", "Plans"]
    world.model.says(["yes"])
    sent = await api.call("POST", f"{world.path}/messages", {"content": "Hello"}, Accept="application/json")
    assert await titles(api) == ["Plans", "newer"]
    updated = (await api.get(world.path)).json()["updated_at"]
    assert updated == sent.json()["answer"]["created_at"]


async def test_search_finds_a_part_in_any_case_and_takes_no_patterns(world: World) -> None:
    api = world.api("ann")
    for title in ("Zebra 100%", "under_score", "ÉMILE"):
        await created(api, title)
    assert await titles(api, "?search=zEBRA") == ["Zebra 100%"]
    assert await titles(api, "?search=0%25") == ["Zebra 100%"]
    assert await titles(api, "?search=r%25") == []
    assert await titles(api, "?search=r_s") == ["under_score"]
    assert await titles(api, "?search=émile") == ["ÉMILE"]
    assert await titles(world.api("bob"), "?search=zebra") == []


async def test_pages_of_fifty_lead_through_all(world: World) -> None:
    api = world.api("ann")
    for number in range(50):
        await created(api, str(number))
    page = (await api.get("/api/conversations?search=")).json()
    assert (page["count"], len(page["results"]), page["previous"]) == (51, 50, None)
    second = (await api.get(page["next"])).json()
    assert [each["title"] for each in second["results"]] == ["Plans"]
    assert second["next"] is None
    assert (await api.get(second["previous"])).json()["results"] == page["results"]
    problem(await api.get("/api/conversations?page=3"), 404)


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=1.0", "page=1_0", "page=1000001", "search=a%00"])
async def test_bad_queries_are_refused(world: World, query: str) -> None:
    problem(await world.api("ann").get(f"/api/conversations?{query}"), 400)


async def test_rename_changes_the_title_alone(world: World) -> None:
    api = world.api("ann")
    before = (await api.get(world.path)).json()
    assert (await api.call("PATCH", world.path, {"title": " Sea "})).json() == {**before, "title": "Sea"}


async def test_delete_takes_the_messages_along(world: World) -> None:
    api = world.api("ann")
    assert (await api.call("DELETE", world.path)).status_code == 204
    problem(await api.get(f"{world.path}/messages"), 404)
    problem(await api.call("DELETE", world.path), 404)
    assert await world.rows() == []
    assert await titles(api) == []


async def test_other_peoples_conversations_are_404(world: World) -> None:
    for name in ("bob", "mo", "ada"):
        api = world.api(name)
        for method, path, body in (
            ("PATCH", world.path, {"title": "x"}),
            ("DELETE", world.path, None),
            ("POST", f"{world.path}/messages", {"content": "x"}),
            ("PUT", f"/api/messages/{world.answer}/feedback", {"value": "up"}),
            ("GET", f"{world.path}/export", None),
        ):
            problem(await api.call(method, path, body), 404)
        status = 404 if name == "bob" else 200
        assert (await api.get(world.path)).status_code == status
        assert (await api.get(f"{world.path}/messages")).status_code == status


@pytest.mark.parametrize("id", ["nothing", "00000000-0000-4000-8000-000000000000", "%00"])
async def test_unknown_and_malformed_ids_are_404_and_401_for_strangers(world: World, id: str) -> None:
    problem(await world.api("ann").get(f"/api/conversations/{id}"), 404)
    problem(await world.api().get(f"/api/conversations/{id}"), 401)


async def test_export_as_json_and_markdown(world: World) -> None:
    api = world.api("ann")
    response = await api.get(f"{world.path}/export")
    assert response.headers["Content-Disposition"] == f'attachment; filename="conversation-{world.conversation}.json"'
    document = response.json()
    assert [message["content"] for message in document["messages"]] == ["Where to?", "To the sea."]
    assert datetime.fromisoformat(document["updated_at"]) > datetime.fromisoformat(document["created_at"])
    response = await api.get(f"{world.path}/export?format=markdown")
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert response.headers["Content-Disposition"].endswith('.md"')
    assert response.text.startswith("# Plans\n\n## user, ")
    assert response.text.endswith("\n\nTo the sea.\n")
    problem(await api.get(f"{world.path}/export?format=pdf"), 400)


async def test_feedback_is_given_and_taken_back(world: World) -> None:
    api = world.api("ann")
    for value in ("up", "down", None):
        response = await api.call("PUT", f"/api/messages/{world.answer}/feedback", {"value": value})
        assert response.json()["feedback"] == value
        assert (await api.get(f"{world.path}/messages")).json()["results"][1]["feedback"] == value
    for path, body, status in (
        (world.answer, {"value": "sideways"}, 400),
        (world.answer, {}, 400),
        (world.question, {"value": "up"}, 400),
        (uuid.uuid4(), {"value": "up"}, 404),
    ):
        problem(await api.call("PUT", f"/api/messages/{path}/feedback", body), status)


async def test_hidden_answers_show_their_text_only_to_who_moderates(world: World) -> None:
    path = f"/api/messages/{world.answer}/hide"
    response = await world.api("mo").call("POST", path, {"hidden": True})
    assert (response.json()["hidden"], response.json()["content"]) == (True, "To the sea.")
    seen = {name: (await world.api(name).get(f"{world.path}/messages")).json()["results"][1] for name in ("ann", "ada")}
    assert {name: message["content"] for name, message in seen.items()} == {"ann": "", "ada": "To the sea."}
    rated = await world.api("ann").call("PUT", f"/api/messages/{world.answer}/feedback", {"value": "down"})
    assert rated.json()["content"] == ""
    for form in ("json", "markdown"):
        assert "sea" not in (await world.api("ann").get(f"{world.path}/export?format={form}")).text
    await world.api("ada").call("POST", path, {"hidden": False})
    assert (await world.api("ann").get(f"{world.path}/messages")).json()["results"][1]["content"] == "To the sea."


async def test_the_role_is_checked_before_the_answer_is_looked_up(world: World) -> None:
    for id in (world.answer, uuid.uuid4(), "nothing"):
        problem(await world.api("ann").call("POST", f"/api/messages/{id}/hide", {"hidden": True}), 403)
    problem(await world.api("mo").call("POST", f"/api/messages/{uuid.uuid4()}/hide", {"hidden": True}), 404)
    problem(await world.api("mo").call("POST", f"/api/messages/{world.question}/hide", {"hidden": True}), 400)
    for body in ({"hidden": "yes"}, {"hidden": 1}, {"hidden": None}, {}):
        problem(await world.api("mo").call("POST", f"/api/messages/{world.answer}/hide", body), 400)
