"""The users of the tests: one of each role, and a conversation."""

import re
from typing import Any

from chat.models import Conversation, Counter, Message, User
from django.test import Client, TransactionTestCase

PASSWORD = "correct horse"


class Browser(Client):
    """A browser that sends forms with the token of the page it was on."""

    def __init__(self, user: User | None = None) -> None:
        super().__init__(enforce_csrf_checks=True)
        if user is not None:
            self.force_login(user)

    def token(self, path: str = "/") -> str:
        """Return the token of a page's forms."""
        return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get(path).content.decode())[1]

    def send(self, path: str, page: str = "/", headers: dict[str, str] | None = None, **fields: str) -> Any:
        """Send a form that stands on a page."""
        return self.post(path, {"csrfmiddlewaretoken": self.token(page), **fields}, headers=headers)


class UsersTestCase(TransactionTestCase):
    """Ann and Bob (role user), Mo (moderator), Ada (admin); Ann has a conversation of one exchange.

    Not a plain TestCase: views work in threads with connections of their own, which would not see its transaction.
    """

    def setUp(self) -> None:
        """Create them."""
        roles = {"ann": "user", "bob": "user", "mo": "moderator", "ada": "admin"}
        self.users = {n: User.objects.create_user(n, password=PASSWORD, role=role) for n, role in roles.items()}
        self.conversation = Conversation.objects.create(owner=self.users["ann"], title="Plans")
        self.message = self.conversation.messages.create(role=Message.Role.USER, content="Where to?")
        self.answer = self.conversation.messages.create(role=Message.Role.ASSISTANT, content="To the **harbour**.")
        self.path = f"/c/{self.conversation.pk}"
        Counter.objects.all().delete()

    def browser(self, name: str) -> Browser:
        """Return a user's browser."""
        return Browser(self.users[name])
