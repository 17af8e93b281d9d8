"""Seed, front end, health, contract and security headers."""

import hashlib
import tempfile
import uuid
from io import StringIO
from pathlib import Path

from chat import site
from chat.models import Conversation, Message
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.test import Client, override_settings
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.users import UsersTestCase


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class SeedTests(UsersTestCase):
    def test_seed_replaces_everything_by_the_same_data(self) -> None:
        for _ in range(2):
            call_command("seed", users=3, conversations=5, seed=7, verbosity=0, stdout=StringIO())
        self.assertEqual(Conversation.objects.count(), 15)
        self.assertEqual(Message.objects.count(), 3 * (2 + 4 + 6 + 8 + 2))
        client = Client()
        client.cookies["sessionid"] = digest("7:session:user0002")[:32]
        self.assertEqual(
            client.get("/api/auth/me").json(), {"id": 2, "username": "user0002", "role": "user", "is_active": True}
        )
        listed = client.get("/api/conversations").json()["results"]
        self.assertEqual([c["title"] for c in listed], [f"Conversation {n}" for n in (5, 4, 3, 2, 1)])
        self.assertEqual(listed[4]["id"], str(uuid.UUID(digest("7:conversation:user0002:0")[:32])))
        client.cookies["sessionid"] = digest("7:session:admin")[:32]
        self.assertEqual(client.get("/api/auth/me").json()["role"], "admin")

    def test_password_costs_what_the_contract_says(self) -> None:
        from django.contrib.auth.models import User

        call_command("seed", users=1, conversations=1, verbosity=0, stdout=StringIO())
        password = User.objects.get(username="user0001").password
        self.assertTrue(password.startswith(f"pbkdf2_sha256$1000000${digest('42:salt')[:22]}$"))
        self.assertFalse(PBKDF2PasswordHasher().must_update(password))  # or every sign-in would hash twice


class SiteTests(UsersTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(site.files.cache_clear)
        site.files.cache_clear()
        for name, text in (("index.html", "<h1>chat</h1>"), ("main-ABCDEF12.js", "1"), ("assets/logo.svg", "<svg/>")):
            path = Path(self.folder.name, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def test_files_pages_and_fallback(self) -> None:
        with override_settings(WEB_ROOT=self.folder.name):
            client = Client()
            for path in ("/", "/conversations/5", "/apiary", "/../../etc/passwd"):
                response = client.get(path)
                self.assertEqual((response.content, response["Cache-Control"]), (b"<h1>chat</h1>", "no-cache"))
                self.assertIn("default-src 'self'", response["Content-Security-Policy"])
            response = client.get("/main-ABCDEF12.js")
            self.assertEqual(response["Cache-Control"], site.FOR_EVER)
            self.assertEqual(response["X-Content-Type-Options"], "nosniff")
            self.assertEqual(client.get("/assets/logo.svg")["Content-Type"], "image/svg+xml")
            self.assert_problem(client.get("/api/nothing"), 404)

    def test_without_front_end_the_page_says_so(self) -> None:
        self.assert_problem(Client().get("/"), 404)


class HealthTests(UsersTestCase):
    def test_health_and_contract(self) -> None:
        self.assertEqual(Client().get("/api/health").json(), {"status": "ok"})
        self.assertEqual(Client().get("/api/schema").json()["openapi"], "3.1.0")

    def test_lost_cache_is_a_503(self) -> None:
        from unittest.mock import patch

        with patch("chat.cache.ping", side_effect=RedisConnectionError("gone")), self.assertLogs("chat.middleware"):
            response = Client().get("/api/health")
        self.assert_problem(response, 503)
        self.assertIn("Retry-After", response)
