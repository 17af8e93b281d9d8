"""Conversations and messages: roles × operations, pages, search, errors."""

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from chat.extensions import db
from chat.models import Conversation, Message, now
from tests.users import Users, expect_problem


def test_own_conversation_can_be_begun_renamed_and_deleted(app: Flask, users: Users) -> None:
    ann = users.api("ann")
    made = ann.call("post", "/api/conversations", {"title": "  Trip  "}).get_json()
    assert made["title"] == "Trip"
    assert made["created_at"].endswith("Z")
    path = f"/api/conversations/{made['id']}"
    renamed = ann.call("patch", path, {"title": "Journey"}).get_json()
    assert (renamed["title"], renamed["updated_at"]) == ("Journey", made["updated_at"])
    assert ann.get(path).get_json() == renamed
    assert ann.call("delete", path).status_code == 204
    expect_problem(ann.get(path), 404)


def test_messages_are_deleted_with_their_conversation(app: Flask, users: Users) -> None:
    assert users.api("ann").call("delete", users.path).status_code == 204
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_no_body_begins_an_untitled_one(users: Users) -> None:
    response = users.api("ann").call("post", "/api/conversations")
    assert (response.status_code, response.get_json()["title"]) == (201, "")


def test_list_is_one_s_own_newest_first_in_pages_of_50(app: Flask, users: Users) -> None:
    with app.app_context():
        moments = [now() + timedelta(seconds=number) for number in range(60)]
        db.session.add_all(
            Conversation(owner_id=users.ids["bob"], title=f"C{number:02d}", created_at=moment, updated_at=moment)
            for number, moment in enumerate(moments)
        )
        db.session.commit()
    bob = users.api("bob")
    first = bob.get("/api/conversations?search=c").get_json()
    assert (first["count"], len(first["results"]), first["previous"]) == (60, 50, None)
    assert first["results"][0]["title"] == "C59"
    second = bob.get(first["next"]).get_json()
    assert (len(second["results"]), second["next"]) == (10, None)
    assert bob.get(second["previous"]).get_json() == first


@pytest.mark.parametrize(
    ("page", "status"),
    [("2", 404), ("1000000", 404), ("1000001", 400), ("0", 400), ("-1", 400), ("x", 400), ("1.0", 400), ("٣", 400)],
)
def test_pages_that_are_none(users: Users, page: str, status: int) -> None:
    expect_problem(users.api("ann").get(f"/api/conversations?page={page}"), status)


def test_bodies_over_two_mebibytes_are_413(users: Users) -> None:
    for path in ("/api/conversations", f"{users.path}/messages"):
        expect_problem(users.api("ann").call("post", path, {"title": "x" * 2**21}), 413)


def test_search_ignores_case_takes_no_wildcards_and_refuses_nul(users: Users) -> None:
    ann = users.api("ann")
    assert ann.get("/api/conversations?search=PLAN").get_json()["count"] == 1
    for text in ("%25", "_", "%27"):
        assert ann.get(f"/api/conversations?search={text}").get_json()["count"] == 0
    for text in ("%00", "x" * 201):
        problem = expect_problem(ann.get(f"/api/conversations?search={text}"), 400)
        assert "search" in problem["errors"]


@pytest.mark.parametrize("title", ["", " ", "x" * 201, " " * 150 + "x" * 60, 5, None, ["a"], "a\0b"])
def test_bad_titles_are_refused(users: Users, title: object) -> None:
    for method, path in (("patch", users.path), ("post", "/api/conversations")):
        problem = expect_problem(users.api("ann").call(method, path, {"title": title}), 400)
        assert "title" in problem["errors"]


@pytest.mark.parametrize("body", [b'{"title": "\\ud800"}', b'{"title": "x', b"[" * 100_000])
def test_what_is_no_json_is_refused(users: Users, body: bytes) -> None:
    problem = expect_problem(users.api("ann").call("patch", users.path, body), 400)
    assert "non_field_errors" in problem["errors"]


def test_everybody_else_gets_404_except_readers_by_role(users: Users) -> None:
    reads = [("get", users.path, None), ("get", f"{users.path}/messages", None)]
    owns = [
        ("patch", users.path, {"title": "Mine"}),
        ("delete", users.path, None),
        ("get", f"{users.path}/export", None),
        ("post", f"{users.path}/messages", {"content": "hello"}),
        ("put", f"/api/messages/{users.answer}/feedback", {"value": "up"}),
    ]
    for name in ("bob", "mo", "ada"):
        for method, path, body in owns:
            expect_problem(users.api(name).call(method, path, body), 404)
        for method, path, body in reads:
            status = users.api(name).call(method, path, body).status_code
            assert status == (404 if name == "bob" else 200)
    for method, path, body in reads + owns:
        expect_problem(users.api().call(method, path, body), 401)
    assert users.stored() == []


def test_exports_are_attachments(users: Users) -> None:
    ann = users.api("ann")
    response = ann.get(f"{users.path}/export")
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    assert [message["content"] for message in response.get_json()["messages"]] == ["Where to?", "To the sea."]
    response = ann.get(f"{users.path}/export?format=markdown")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.get_data(as_text=True).startswith("# Plans\n\n## user, 20")
    expect_problem(ann.get(f"{users.path}/export?format=pdf"), 400)


def test_unknown_paths_are_404_and_wrong_methods_405_with_allow(users: Users) -> None:
    ann = users.api("ann")
    nobodys = f"/api/conversations/{uuid.uuid4()}"
    for path in ("/api/nothing", "/api", "/api/", nobodys, "/api/conversations/no-uuid", "/api//health"):
        expect_problem(ann.get(path), 404)
    for path, allowed in (
        (users.path, {"GET", "HEAD", "PATCH", "DELETE"}),
        (f"{users.path}/messages", {"GET", "HEAD", "POST"}),
        ("/api/auth/login", {"POST"}),
        ("/api/health", {"GET", "HEAD"}),
    ):
        for method in ("put", "options"):
            response = ann.call(method, path, {})
            expect_problem(response, 405)
            assert set(response.headers["Allow"].split(", ")) == allowed


def test_feedback_is_given_and_taken_back(users: Users) -> None:
    path = f"/api/messages/{users.answer}/feedback"
    for value in ("up", "down", None):
        assert users.api("ann").call("put", path, {"value": value}).get_json()["feedback"] == value
        shown = users.api("ann").get(f"{users.path}/messages").get_json()["results"][1]
        assert shown["feedback"] == value
    for body in ({"value": "meh"}, {}, {"value": 1}):
        expect_problem(users.api("ann").call("put", path, body), 400)


def test_people_s_own_messages_are_neither_rated_nor_hidden(users: Users) -> None:
    base = f"/api/messages/{users.message}"
    expect_problem(users.api("ann").call("put", f"{base}/feedback", {"value": "up"}), 400)
    expect_problem(users.api("mo").call("post", f"{base}/hide", {"hidden": True}), 400)
    shown = users.api("ann").get(f"{users.path}/messages").get_json()["results"][0]
    assert (shown["feedback"], shown["hidden"]) == (None, False)


def test_role_is_looked_at_before_the_answer(users: Users) -> None:
    unknown = f"/api/messages/{uuid.uuid4()}/hide"
    expect_problem(users.api("ann").call("post", unknown, {"hidden": True}), 403)
    expect_problem(users.api("mo").call("post", unknown, {"hidden": True}), 404)


def test_hidden_text_is_for_moderators_only(users: Users) -> None:
    path = f"/api/messages/{users.answer}/hide"
    assert users.api("mo").call("post", path, {"hidden": True}).get_json()["content"] == "To the sea."
    for name, text in (("ann", ""), ("mo", "To the sea."), ("ada", "To the sea.")):
        shown = users.api(name).get(f"{users.path}/messages").get_json()["results"][1]
        assert (shown["hidden"], shown["content"]) == (True, text)
    assert "sea" not in users.api("ann").get(f"{users.path}/export?format=markdown").get_data(as_text=True)
    assert users.api("ada").call("post", path, {"hidden": False}).get_json()["hidden"] is False
