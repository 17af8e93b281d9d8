"""What comes in is checked strictly (no unknown field, no silent conversion); what goes out is plain data."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from chat import roles
from chat.models import TITLE_CHARS, Conversation, Message

MESSAGE_CHARS = 100_000


def timestamp(moment: datetime) -> str:
    """Return a moment in RFC 3339, UTC."""
    return moment.isoformat().replace("+00:00", "Z")


class Strict(serializers.Serializer):
    """Refuses unknown fields."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values."""
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({str(name): ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string that is not empty; numbers are not made strings."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)  # before trimming, as the schema says
        return super().to_internal_value(data)


class Filled(Text):
    """A text that holds something other than white space."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Refuse white space alone, also where it is kept."""
        if isinstance(data, str) and not data.strip():
            self.fail("blank")
        return super().run_validation(data)


class Truth(serializers.BooleanField):
    """true or false, nothing that resembles them."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Choice(serializers.ChoiceField):
    """One of some strings."""

    def to_internal_value(self, data: Any) -> str:
        """Return the choice."""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", input=data)
        return data


class Credentials(Strict):
    """A sign-in."""

    username = Text(max_length=150, trim_whitespace=False)
    password = Text(max_length=128, trim_whitespace=False)


class NewConversation(Strict):
    """A conversation to begin."""

    title = Filled(max_length=TITLE_CHARS, required=False)


class Rename(Strict):
    """A conversation's new title."""

    title = Filled(max_length=TITLE_CHARS)


class NewMessage(Strict):
    """A message to send, kept as it is."""

    content = Filled(max_length=MESSAGE_CHARS, trim_whitespace=False)


class FeedbackChange(Strict):
    """Thumbs up, thumbs down or neither."""

    value = Choice(Message.Feedback.choices, allow_null=True)


class HideChange(Strict):
    """Whether an answer is hidden."""

    hidden = Truth()


class UserChange(Strict):
    """A user's new role or state."""

    role = Choice(roles.ROLES, required=False)
    is_active = Truth(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a change of nothing and admins locking themselves out."""
        if not attrs:
            raise serializers.ValidationError("Give role or is_active.")
        if self.instance == self.context["request"].user:
            if attrs.get("role", "admin") != "admin":
                raise serializers.ValidationError({"role": ["You cannot change your own role."]})
            if not attrs.get("is_active", True):
                raise serializers.ValidationError({"is_active": ["You cannot deactivate yourself."]})
        return attrs


class ListQuery(serializers.Serializer):
    """The query of a list."""

    search = serializers.CharField(max_length=200, required=False, allow_blank=True, trim_whitespace=False, default="")


class ExportQuery(serializers.Serializer):
    """The query of an export."""

    format = Choice(("json", "markdown"), default="json")


class UserView(serializers.BaseSerializer):
    """A user as the API shows it."""

    def to_representation(self, instance: User) -> dict[str, Any]:
        """Return plain data."""
        return {
            "id": instance.pk,
            "username": instance.username,
            "role": roles.role_of(instance),
            "is_active": instance.is_active,
        }


class ConversationView(serializers.BaseSerializer):
    """A conversation as the API shows it."""

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        """Return plain data."""
        return conversation_data(instance)


def conversation_data(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation as plain data."""
    return {
        "id": str(conversation.pk),
        "title": conversation.title,
        "created_at": timestamp(conversation.created_at),
        "updated_at": timestamp(conversation.updated_at),
    }


def message_data(message: Message, *, reveal: bool = False) -> dict[str, Any]:
    """Return a message as plain data; the text of a hidden one only where it may be revealed."""
    return {
        "id": str(message.pk),
        "role": str(message.role),
        "content": "" if message.hidden and not reveal else message.content,
        "created_at": timestamp(message.created_at),
        "hidden": message.hidden,
        "feedback": message.feedback,
    }
