"""The users of the tests: one of each role, and conversations."""

from typing import Any

from chat.models import Conversation, Message
from chat.roles import set_role
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, TransactionTestCase

CSRF = "abcdefghijklmnopqrstuvwxyz012345"


class Api(Client):
    """A browser that sends JSON and the CSRF token."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__(enforce_csrf_checks=True)
        if user is not None:
            self.force_login(user)
        self.cookies["csrftoken"] = CSRF

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; no body is sent where there is none."""
        sent = {"X-CSRFToken": self.cookies["csrftoken"].value, **headers}
        if body is None:
            return self.generic(method.upper(), path, headers=sent)
        return getattr(self, method)(path, data=body, content_type="application/json", headers=sent)


class UsersTestCase(TransactionTestCase):
    """Ann and Bob (role user), Mo (moderator), Ada (admin); Ann has a conversation of one exchange.

    Not a plain TestCase: views work in threads with connections of their own, which would not see its transaction.
    """

    def setUp(self) -> None:
        """Create them."""
        cache.clear()
        self.users = {name: User.objects.create_user(name, password="correct horse") for name in ("ann", "bob")}
        for name, role in (("mo", "moderator"), ("ada", "admin")):
            self.users[name] = User.objects.create_user(name, password="correct horse")
            set_role(self.users[name], role)
        self.conversation = Conversation.objects.create(owner=self.users["ann"], title="Plans")
        self.message = self.conversation.messages.create(role=Message.Role.USER, content="Where to?")
        self.answer = self.conversation.messages.create(role=Message.Role.ASSISTANT, content="To the sea.")
        self.path = f"/api/conversations/{self.conversation.pk}"

    def api(self, name: str) -> Api:
        """Return a user's browser."""
        return Api(self.users[name])

    def assert_problem(self, response: Any, status: int) -> dict[str, Any]:
        """Check that the response is a problem document of this status and return it."""
        self.assertEqual(response.status_code, status, response.content)
        self.assertEqual(response["Content-Type"], "application/problem+json")
        problem: dict[str, Any] = response.json()
        self.assertEqual(problem["status"], status)
        self.assertLessEqual({"type", "title", "detail"}, set(problem))
        return problem
