"""Users with a role, their conversations and messages, and counters of what is limited per minute."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

TITLE_CHARS = 200
DERIVED_TITLE_CHARS = 60
MESSAGE_CHARS = 100_000


class User(AbstractUser):
    """Django's user, with one of three roles."""

    class Role(models.TextChoices):
        """What a user may do beyond chatting."""

        USER = "user"
        MODERATOR = "moderator"
        ADMIN = "admin"

    role = models.CharField(max_length=9, choices=Role.choices, default=Role.USER)

    @property
    def may_moderate(self) -> bool:
        """Whether this user reads any conversation and hides answers."""
        return self.role in (self.Role.MODERATOR, self.Role.ADMIN)

    @property
    def may_manage_users(self) -> bool:
        """Whether this user changes roles and deactivates accounts."""
        return self.role == self.Role.ADMIN


class Conversation(models.Model):
    """A conversation of one user with the model."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="conversations", db_index=False)
    title = models.CharField(max_length=TITLE_CHARS, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Listed last updated first."""

        ordering = ["-updated_at", "id"]
        indexes = [models.Index(fields=["owner", "-updated_at", "id"], name="conversation_list")]

    def __str__(self) -> str:
        """Return what the page calls it."""
        return self.title or "New conversation"


class Message(models.Model):
    """One message of a conversation; feedback and hiding concern answers only."""

    class Role(models.TextChoices):
        """Who wrote it."""

        USER = "user"
        ASSISTANT = "assistant"

    class Feedback(models.TextChoices):
        """What the owner thinks of an answer."""

        UP = "up"
        DOWN = "down"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages", db_index=False)
    role = models.CharField(max_length=9, choices=Role.choices)
    content = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    hidden = models.BooleanField(default=False)
    feedback = models.CharField(max_length=4, choices=Feedback.choices, null=True)

    class Meta:
        """Listed oldest first."""

        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["conversation", "created_at", "id"], name="message_list")]

    def __str__(self) -> str:
        """Return the beginning of the text."""
        return f"{self.role}: {self.content[:40]}"


class Counter(models.Model):
    """How often something happened within one minute: a row, so that all processes count the same."""

    name = models.CharField(max_length=80, primary_key=True)
    minute = models.PositiveIntegerField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        """Return what it says."""
        return f"{self.name}: {self.count} in minute {self.minute}"
