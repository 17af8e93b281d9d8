"""Signing in and out, tokens, CSRF, and what admins do."""

from chat.models import AccessToken
from django.conf import settings
from django.utils import timezone

from tests.users import Api, UsersTestCase

GOOD = {"username": "ann", "password": "correct horse"}


class SigningInTests(UsersTestCase):
    def test_login_opens_a_session_and_changes_the_csrf_token(self) -> None:
        api = Api()
        before = api.cookies["csrftoken"].value
        response = api.call("post", "/api/auth/login", GOOD)
        self.assertEqual(
            response.json(), {"id": self.users["ann"].pk, "username": "ann", "role": "user", "is_active": True}
        )
        self.assertTrue(response.cookies["sessionid"]["httponly"])
        self.assertNotEqual(api.cookies["csrftoken"].value, before)
        self.assertEqual(api.get("/api/auth/me").json()["username"], "ann")

    def test_login_without_csrf_token_is_refused(self) -> None:
        self.assert_problem(Api().post("/api/auth/login", GOOD, content_type="application/json"), 403)

    def test_me_sets_the_csrf_cookie_even_for_strangers(self) -> None:
        api = Api()
        del api.cookies["csrftoken"]
        response = api.get("/api/auth/me")
        self.assert_problem(response, 401)
        self.assertIn("csrftoken", response.cookies)

    def test_wrong_password_unknown_name_and_deactivated_account_look_alike(self) -> None:
        self.users["bob"].is_active = False
        self.users["bob"].save()
        details = set()
        for name, password in (("ann", "wrong"), ("nobody", "wrong"), ("bob", "correct horse")):
            body = {"username": name, "password": password}
            details.add(self.assert_problem(Api().call("post", "/api/auth/login", body), 401)["detail"])
        self.assertEqual(len(details), 1)

    def test_eleventh_wrong_password_in_a_minute_is_not_tried(self) -> None:
        statuses = [
            Api().call("post", "/api/auth/login", {**GOOD, "password": "wrong"}).status_code
            for _ in range(settings.FAILED_SIGN_INS_PER_MINUTE * 2 + 1)  # a minute may end in between
        ]
        self.assertEqual(statuses[: settings.FAILED_SIGN_INS_PER_MINUTE], [401] * settings.FAILED_SIGN_INS_PER_MINUTE)
        response = Api().call("post", "/api/auth/login", GOOD)
        self.assert_problem(response, 429)
        self.assertGreaterEqual(int(response["Retry-After"]), 1)

    def test_logout_ends_the_session(self) -> None:
        api = self.api("ann")
        self.assertEqual(api.call("post", "/api/auth/logout").status_code, 204)
        self.assert_problem(api.get("/api/auth/me"), 401)

    def test_bodies_are_checked(self) -> None:
        for body in ({}, {"username": "ann"}, {**GOOD, "more": 1}, {"username": 1, "password": "x"}, []):
            problem = self.assert_problem(Api().call("post", "/api/auth/token", body), 400)
            self.assertTrue(problem["errors"], body)
        response = Api().post("/api/auth/token", "{", content_type="application/json")
        self.assert_problem(response, 400)
        self.assert_problem(Api().post("/api/auth/token", "a=b", content_type="text/plain"), 415)


class TokenTests(UsersTestCase):
    def token(self) -> str:
        return str(Api().call("post", "/api/auth/token", GOOD).json()["token"])

    def test_token_works_without_csrf_and_is_stored_hashed(self) -> None:
        token = self.token()
        self.assertFalse(AccessToken.objects.filter(digest__contains=token).exists())
        api = Api()
        del api.cookies["csrftoken"]
        headers = {"Authorization": f"Bearer {token}"}
        response = api.post("/api/conversations", {}, content_type="application/json", headers=headers)
        self.assertEqual(response.status_code, 201)

    def test_bad_token_is_refused_even_with_a_good_session(self) -> None:
        response = self.api("ann").get("/api/auth/me", headers={"Authorization": "Bearer nothing"})
        self.assert_problem(response, 401)
        self.assertIn("WWW-Authenticate", response)

    def test_expired_revoked_and_orphaned_tokens_stop_working(self) -> None:
        headers = {"Authorization": f"Bearer {self.token()}"}
        AccessToken.objects.update(expires_at=timezone.now())
        self.assert_problem(Api().get("/api/auth/me", headers=headers), 401)
        headers = {"Authorization": f"Bearer {self.token()}"}
        self.assertEqual(Api().post("/api/auth/logout", headers=headers).status_code, 204)
        self.assert_problem(Api().get("/api/auth/me", headers=headers), 401)


class AdminTests(UsersTestCase):
    def test_only_admins_see_users(self) -> None:
        for name, status in (("ann", 403), ("mo", 403)):
            self.assert_problem(self.api(name).get("/api/admin/users"), status)
        self.assert_problem(Api().get("/api/admin/users"), 401)
        page = self.api("ada").get("/api/admin/users?search=O").json()
        self.assertEqual([user["username"] for user in page["results"]], ["bob", "mo"])
        self.assertEqual([user["role"] for user in page["results"]], ["user", "moderator"])

    def test_admin_changes_roles_and_deactivates(self) -> None:
        path = f"/api/admin/users/{self.users['bob'].pk}"
        bob, ada = self.api("bob"), self.api("ada")
        self.assertEqual(ada.call("patch", path, {"role": "moderator"}).json()["role"], "moderator")
        self.assertEqual(bob.get("/api/auth/me").json()["role"], "moderator")
        self.assertFalse(ada.call("patch", path, {"is_active": False}).json()["is_active"])
        self.assert_problem(bob.get("/api/auth/me"), 401)
        self.assert_problem(self.api("mo").call("patch", path, {"role": "admin"}), 403)

    def test_bad_changes_are_refused(self) -> None:
        ada = self.api("ada")
        own = f"/api/admin/users/{self.users['ada'].pk}"
        for path, body, status in (
            (own, {"role": "user"}, 400),
            (own, {"is_active": False}, 400),
            (own, {}, 400),
            (own, {"role": "king"}, 400),
            (own, {"is_active": "yes"}, 400),
            ("/api/admin/users/999999", {"role": "user"}, 404),
        ):
            self.assert_problem(ada.call("patch", path, body), status)
