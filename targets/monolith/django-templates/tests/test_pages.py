"""Pages and forms: signing in, roles, other users' things, CSRF, search, rename, delete, export, feedback, hiding."""

import json
import uuid

from chat.models import Conversation, Message, User
from django.test import override_settings

from tests.users import PASSWORD, Browser, UsersTestCase


class SignInTests(UsersTestCase):
    def test_the_form_opens_a_session_and_leads_where_the_person_wanted_to(self) -> None:
        browser = Browser()
        self.assertRedirects(browser.get(self.path), f"/sign-in?next={self.path.replace('/', '%2F')}", 302, 200)
        answer = browser.send("/sign-in", "/sign-in", username="ann", password=PASSWORD, next=self.path)
        self.assertRedirects(answer, self.path)
        cookie = answer.cookies["sessionid"]
        self.assertTrue(cookie["httponly"])
        self.assertEqual(cookie["samesite"], "Lax")
        self.assertContains(browser.get("/"), "ann")

    def test_another_sites_address_is_not_followed(self) -> None:
        for address in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
            answer = Browser().send("/sign-in", "/sign-in", username="ann", password=PASSWORD, next=address)
            self.assertEqual(answer["Location"], "/")

    def test_wrong_name_wrong_password_and_deactivated_are_told_alike(self) -> None:
        User.objects.filter(username="bob").update(is_active=False)
        texts = set()
        for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD)):
            answer = Browser().send("/sign-in", "/sign-in", username=name, password=password)
            self.assertEqual(answer.status_code, 401)
            texts.add(answer.content.decode().split('role="alert">')[1].split("<")[0])
        self.assertEqual(len(texts), 1)

    def test_ten_failed_sign_ins_close_a_name_for_the_minute(self) -> None:
        for _ in range(10):
            Browser().send("/sign-in", "/sign-in", username="ann", password="wrong")
        answer = Browser().send("/sign-in", "/sign-in", username="ann", password=PASSWORD)
        self.assertEqual(answer.status_code, 429)
        self.assertLessEqual(int(answer["Retry-After"]), 60)
        self.assertEqual(Browser().send("/sign-in", "/sign-in", username="bob", password=PASSWORD).status_code, 302)

    def test_a_deactivated_person_is_out_at_once(self) -> None:
        browser = self.browser("ann")
        User.objects.filter(username="ann").update(is_active=False)
        self.assertEqual(browser.get("/").status_code, 302)

    def test_signing_out_ends_the_session(self) -> None:
        browser = self.browser("ann")
        browser.send("/sign-out")
        self.assertEqual(browser.get("/").status_code, 302)


class CsrfTests(UsersTestCase):
    def test_no_form_is_taken_without_its_token(self) -> None:
        browser = self.browser("ann")
        browser.token()
        answer_path = f"/messages/{self.answer.pk}"
        ends = ("/rename", "/delete", "/messages")
        for path in ("/c", "/messages", "/sign-out", *(self.path + end for end in ends), answer_path + "/feedback"):
            for fields in ({}, {"csrfmiddlewaretoken": "A" * 64}):
                answer = browser.post(path, {"content": "x", "title": "x", "feedback": "up", **fields})
                self.assertEqual(answer.status_code, 403, path)
        self.assertEqual(Conversation.objects.get().title, "Plans")
        self.assertEqual(Message.objects.count(), 2)

    def test_signing_in_needs_the_token_too(self) -> None:
        answer = Browser().post("/sign-in", {"username": "ann", "password": PASSWORD})
        self.assertEqual(answer.status_code, 403)


class ConversationTests(UsersTestCase):
    def test_the_list_holds_ones_own_last_updated_first_and_search_finds_titles(self) -> None:
        Conversation.objects.create(owner=self.users["ann"], title="Recipes")
        Conversation.objects.create(owner=self.users["bob"], title="Secrets")
        page = self.browser("ann").get("/").content.decode()
        self.assertLess(page.index("Recipes"), page.index("Plans"))
        self.assertNotIn("Secrets", page)
        found = self.browser("ann").get("/?q=reci").content.decode()
        self.assertIn("Recipes", found)
        self.assertNotIn("Plans", found)

    def test_long_lists_are_shown_in_parts(self) -> None:
        Conversation.objects.bulk_create(Conversation(owner=self.users["bob"], title=f"No {n}") for n in range(35))
        browser = self.browser("bob")
        self.assertContains(browser.get("/"), 'class="conversation"', 30)
        self.assertContains(browser.get("/?shown=60"), 'class="conversation"', 35)

    def test_new_conversation_uses_an_empty_one_again(self) -> None:
        browser = self.browser("bob")
        first, second = browser.send("/c")["Location"], browser.send("/c")["Location"]
        self.assertEqual(first, second)
        self.assertEqual(Conversation.objects.filter(owner=self.users["bob"]).count(), 1)

    def test_rename_and_delete(self) -> None:
        browser = self.browser("ann")
        self.assertRedirects(browser.send(f"{self.path}/rename", title="<b>Sea</b>"), self.path)
        self.assertContains(browser.get(self.path), "&lt;b&gt;Sea&lt;/b&gt;")
        self.assertNotContains(browser.get(self.path), "<b>Sea")
        self.assertEqual(browser.send(f"{self.path}/rename", title="").status_code, 400)
        self.assertRedirects(browser.send(f"{self.path}/delete"), "/")
        self.assertEqual(browser.get(self.path).status_code, 404)
        self.assertEqual(Message.objects.count(), 0)

    def test_export_as_json_and_markdown(self) -> None:
        browser = self.browser("ann")
        answer = browser.get(f"{self.path}/export?format=json")
        self.assertIn("attachment", answer["Content-Disposition"])
        document = json.loads(answer.content)
        self.assertEqual([m["content"] for m in document["messages"]], ["Where to?", "To the **harbour**."])
        text = browser.get(f"{self.path}/export?format=markdown").content.decode()
        self.assertTrue(text.startswith("# Plans\n"))
        self.assertIn("To the **harbour**.", text)
        self.assertEqual(browser.get(f"{self.path}/export?format=pdf").status_code, 400)

    def test_other_peoples_conversations_are_not_there(self) -> None:
        for name in ("bob", "mo", "ada"):
            browser = self.browser(name)
            may_read = name != "bob"
            self.assertEqual(browser.get(self.path).status_code, 200 if may_read else 404, name)
            self.assertEqual(browser.get(f"{self.path}/export").status_code, 404, name)
            for end in ("/rename", "/delete", "/messages"):
                self.assertEqual(browser.send(self.path + end, title="x", content="x").status_code, 404, (name, end))
            answer = browser.send(f"/messages/{self.answer.pk}/feedback", feedback="up")
            self.assertEqual(answer.status_code, 404, name)
        self.assertEqual(self.browser("ann").get(f"/c/{uuid.uuid4()}").status_code, 404)


class AnswerTests(UsersTestCase):
    def test_thumbs_are_noted_and_taken_back(self) -> None:
        browser, path = self.browser("ann"), f"/messages/{self.answer.pk}/feedback"
        answer = browser.send(path, headers={"X-Fragment": "1"}, feedback="up")
        self.assertContains(answer, 'aria-pressed="true"', 1)
        self.assertEqual(Message.objects.get(pk=self.answer.pk).feedback, "up")
        self.assertRedirects(browser.send(path, feedback=""), self.path)
        self.assertIsNone(Message.objects.get(pk=self.answer.pk).feedback)
        self.assertEqual(browser.send(path, feedback="sideways").status_code, 400)
        self.assertEqual(browser.send(f"/messages/{self.message.pk}/feedback", feedback="up").status_code, 400)

    def test_moderators_and_admins_hide_and_people_then_do_not_see_the_text(self) -> None:
        path = f"/messages/{self.answer.pk}/hide"
        for name in ("mo", "ada"):
            self.assertEqual(self.browser(name).send(path, hidden="true").status_code, 302)
        page = self.browser("ann").get(self.path)
        self.assertNotContains(page, "harbour")
        self.assertContains(page, "hidden by a moderator")
        self.assertNotIn(b"harbour", self.browser("ann").get(f"{self.path}/export").content)
        self.assertContains(self.browser("mo").get(self.path), "harbour")
        self.browser("mo").send(path, hidden="false")
        self.assertContains(self.browser("ann").get(self.path), "harbour")

    def test_the_role_is_checked_before_the_answer_is_looked_up(self) -> None:
        for id in (self.answer.pk, uuid.uuid4()):
            self.assertEqual(self.browser("ann").send(f"/messages/{id}/hide", hidden="true").status_code, 403)
        self.assertEqual(self.browser("mo").send(f"/messages/{self.message.pk}/hide", hidden="true").status_code, 400)


class UsersTests(UsersTestCase):
    def test_only_admins_see_and_change_people(self) -> None:
        for name in ("ann", "mo"):
            self.assertEqual(self.browser(name).get("/users").status_code, 403)
            answer = self.browser(name).send(f"/users/{self.users['bob'].pk}", role="admin")
            self.assertEqual(answer.status_code, 403)
        ada = self.browser("ada")
        self.assertContains(ada.get("/users"), "Role of bob")
        self.assertNotContains(ada.get("/users?name=an"), "Role of bob")
        ada.send(f"/users/{self.users['bob'].pk}", role="moderator")
        ada.send(f"/users/{self.users['bob'].pk}", is_active="false")
        bob = User.objects.get(username="bob")
        self.assertEqual((bob.role, bob.is_active), ("moderator", False))

    def test_admins_do_not_change_themselves(self) -> None:
        for change in ({"role": "user"}, {"is_active": "false"}):
            self.assertEqual(self.browser("ada").send(f"/users/{self.users['ada'].pk}", **change).status_code, 400)
        self.assertEqual(self.browser("ada").send(f"/users/{self.users['bob'].pk}").status_code, 400)


class HeaderTests(UsersTestCase):
    def test_every_page_carries_the_security_headers_and_no_script_of_its_own(self) -> None:
        for path in ("/sign-in", "/", self.path, "/health", "/nothing-here"):
            answer = self.browser("ann").get(path)
            self.assertEqual(answer["X-Frame-Options"], "DENY")
            self.assertEqual(answer["X-Content-Type-Options"], "nosniff")
            self.assertIn("script-src 'self'", answer["Content-Security-Policy"])
            self.assertNotIn(b"<script>", answer.content)

    def test_files_are_kept_for_ever_under_their_own_address(self) -> None:
        page = self.browser("ann").get("/").content.decode()
        address = page.split('href="/static/')[1].split('"')[0]
        self.assertIn("immutable", self.client.get(f"/static/{address}")["Cache-Control"])
        self.assertEqual(self.client.get("/static/000000000000/chat.css")["Cache-Control"], "no-cache")
        self.assertEqual(self.client.get("/static/000000000000/..").status_code, 404)

    @override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
    def test_too_large_a_form_is_413(self) -> None:
        browser = self.browser("ann")
        answer = browser.post(
            f"{self.path}/rename",
            f"csrfmiddlewaretoken={browser.token()}&title={'x' * 2000}",
            content_type="application/x-www-form-urlencoded",
        )
        self.assertEqual(answer.status_code, 413)
