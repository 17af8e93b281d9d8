"""Conversations and messages: roles × operations, pages, search, errors."""

import json
import uuid

from chat.models import Conversation

from tests.users import Api, UsersTestCase

NOBODYS = f"/api/conversations/{uuid.uuid4()}"


class ConversationTests(UsersTestCase):
    def test_own_conversation_can_be_begun_renamed_and_deleted(self) -> None:
        ann = self.api("ann")
        made = ann.call("post", "/api/conversations", {"title": "  Trip  "}).json()
        self.assertEqual(made["title"], "Trip")
        path = f"/api/conversations/{made['id']}"
        self.assertEqual(ann.call("patch", path, {"title": "Journey"}).json()["title"], "Journey")
        self.assertEqual(ann.get(path).json()["title"], "Journey")
        self.assertEqual(ann.call("delete", path).status_code, 204)
        self.assert_problem(ann.get(path), 404)

    def test_no_body_begins_an_untitled_one(self) -> None:
        self.assertEqual(self.api("ann").call("post", "/api/conversations").json()["title"], "")

    def test_list_is_one_s_own_newest_first_in_pages_of_50(self) -> None:
        Conversation.objects.bulk_create(Conversation(owner=self.users["bob"], title=f"C{i:02d}") for i in range(60))
        bob = self.api("bob")
        first = bob.get("/api/conversations").json()
        self.assertEqual((first["count"], len(first["results"]), first["previous"]), (60, 50, None))
        self.assertEqual(first["results"][0]["title"], "C59")
        second = bob.get(first["next"]).json()
        self.assertEqual((len(second["results"]), second["next"]), (10, None))
        for page, status in (("3", 404), ("0", 400), ("x", 400), ("last", 400)):
            self.assert_problem(bob.get(f"/api/conversations?page={page}"), status)

    def test_bodies_over_two_mebibytes_are_413(self) -> None:
        for path in ("/api/conversations", f"{self.path}/messages"):
            self.assert_problem(self.api("ann").call("post", path, {"title": "x" * 2**21}), 413)

    def test_search_ignores_case_and_refuses_nul(self) -> None:
        ann = self.api("ann")
        self.assertEqual(ann.get("/api/conversations?search=PLAN").json()["count"], 1)
        self.assertEqual(ann.get("/api/conversations?search=%25").json()["count"], 0)
        self.assert_problem(ann.get("/api/conversations?search=%00"), 400)

    def test_bad_titles_are_refused(self) -> None:
        for title in ("", " ", "x" * 201, 5, None, ["a"], "a\0b"):
            self.assert_problem(self.api("ann").call("patch", self.path, {"title": title}), 400)
        surrogate = Api.call(self.api("ann"), "patch", self.path, '{"title": "\\ud800"}')
        self.assert_problem(surrogate, 400)

    def test_everybody_else_gets_404_except_readers_by_role(self) -> None:
        reads = [("get", self.path, None), ("get", f"{self.path}/messages", None)]
        owns = [
            ("patch", self.path, {"title": "Mine"}),
            ("delete", self.path, None),
            ("get", f"{self.path}/export", None),
            ("post", f"{self.path}/messages", {"content": "hello"}),
            ("put", f"/api/messages/{self.answer.pk}/feedback", {"value": "up"}),
        ]
        for name in ("bob", "mo", "ada"):
            for method, path, body in owns:
                self.assert_problem(self.api(name).call(method, path, body), 404)
            for method, path, body in reads:
                response = self.api(name).call(method, path, body)
                self.assertEqual(response.status_code, 404 if name == "bob" else 200)
        for method, path, body in reads + owns:
            self.assert_problem(Api().call(method, path, body), 401)

    def test_unsafe_requests_need_the_csrf_token(self) -> None:
        ann = self.api("ann")
        del ann.cookies["csrftoken"]
        for method, path in (("post", "/api/conversations"), ("post", f"{self.path}/messages"), ("delete", self.path)):
            response = getattr(ann, method)(path, "{}", content_type="application/json")
            self.assert_problem(response, 403)

    def test_exports_are_attachments(self) -> None:
        ann = self.api("ann")
        response = ann.get(f"{self.path}/export")
        self.assertIn("attachment", response["Content-Disposition"])
        self.assertEqual([m["content"] for m in json.loads(response.content)["messages"]], ["Where to?", "To the sea."])
        response = ann.get(f"{self.path}/export?format=markdown")
        self.assertEqual(response["Content-Type"], "text/markdown; charset=utf-8")
        self.assertTrue(response.content.decode().startswith("# Plans\n\n## user"))
        for other in ("pdf", ""):
            self.assert_problem(ann.get(f"{self.path}/export?format={other}"), 400)

    def test_unknown_paths_and_methods_are_problems(self) -> None:
        ann = self.api("ann")
        for path in ("/api/nothing", "/api", NOBODYS, "/api/conversations/no-uuid"):
            self.assert_problem(ann.get(path), 404)
        for path in (self.path, f"{self.path}/messages", "/api/conversations", "/api/health"):
            response = ann.call("put", path, {})
            self.assert_problem(response, 405)
            self.assertIn("GET", response["Allow"])


class AnswerTests(UsersTestCase):
    def test_feedback_is_given_and_taken_back(self) -> None:
        path = f"/api/messages/{self.answer.pk}/feedback"
        for value in ("up", "down", None):
            self.assertEqual(self.api("ann").call("put", path, {"value": value}).json()["feedback"], value)
        for body in ({"value": "meh"}, {}, {"value": 1}):
            self.assert_problem(self.api("ann").call("put", path, body), 400)

    def test_people_s_own_messages_are_neither_rated_nor_hidden(self) -> None:
        base = f"/api/messages/{self.message.pk}"
        self.assert_problem(self.api("ann").call("put", f"{base}/feedback", {"value": "up"}), 400)
        self.assert_problem(self.api("mo").call("post", f"{base}/hide", {"hidden": True}), 400)

    def test_hidden_text_is_for_moderators_only(self) -> None:
        path = f"/api/messages/{self.answer.pk}/hide"
        self.assert_problem(self.api("ann").call("post", path, {"hidden": True}), 403)
        self.assertEqual(self.api("mo").call("post", path, {"hidden": True}).json()["content"], "To the sea.")
        seen = {name: self.api(name).get(f"{self.path}/messages").json()["results"][1] for name in ("ann", "mo", "ada")}
        self.assertEqual(
            {name: m["content"] for name, m in seen.items()}, {"ann": "", "mo": "To the sea.", "ada": "To the sea."}
        )
        self.assertTrue(all(m["hidden"] for m in seen.values()))
        self.assertNotIn("sea", self.api("ann").get(f"{self.path}/export?format=markdown").content.decode())
        self.assertFalse(self.api("ada").call("post", path, {"hidden": False}).json()["hidden"])
