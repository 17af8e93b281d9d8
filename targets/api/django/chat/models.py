"""Conversations, their messages, and bearer tokens; users, groups and sessions are Django's own."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

TITLE_CHARS = 200
DERIVED_TITLE_CHARS = 60


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
        permissions = [("read_any_conversation", "Can read anybody's conversations")]

    def __str__(self) -> str:
        """Return the title."""
        return self.title or str(self.id)


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
        permissions = [("hide_message", "Can hide answers")]

    def __str__(self) -> str:
        """Return the beginning of the text."""
        return f"{self.role}: {self.content[:40]}"


class AccessToken(models.Model):
    """A bearer token of a program; only its SHA-256 is stored, so a stolen table opens nothing."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        """Return whose it is."""
        return f"token of user {self.user_id}"

    @staticmethod
    def digest_of(token: str) -> str:
        """Return what is stored of a token."""
        return hashlib.sha256(token.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User) -> str:
        """Create a token and return it; it cannot be read again."""
        token = secrets.token_urlsafe(32)
        expires_at = timezone.now() + timedelta(days=settings.TOKEN_DAYS)
        cls.objects.create(digest=cls.digest_of(token), user=user, expires_at=expires_at)
        return token


class Counter(models.Model):
    """How often something happened within one minute, where there is no Redis to count."""

    name = models.CharField(max_length=80, primary_key=True)
    minute = models.PositiveIntegerField()
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        """Return what it says."""
        return f"{self.name}: {self.count} in minute {self.minute}"
