"""What users send: each form checks its fields and says what is wrong with them."""

from typing import Any

from django import forms

from chat.models import MESSAGE_CHARS, TITLE_CHARS, Message, User


class SignIn(forms.Form):
    """A name and a password."""

    username = forms.CharField(max_length=150)
    password = forms.CharField(max_length=128, strip=False)


class NewMessage(forms.Form):
    """A message; stored as typed, with the line ends that a browser's form changes put back."""

    content = forms.CharField(
        strip=False,
        error_messages={"required": "Type a message."},
    )

    def clean_content(self) -> str:
        """Refuse what is blank or too long."""
        content: str = self.cleaned_data["content"].replace("\r\n", "\n")
        if not content.strip():
            raise forms.ValidationError("Type a message.")
        if len(content) > MESSAGE_CHARS:
            raise forms.ValidationError(
                f"{len(content):,} characters are too many; shorten the message to {MESSAGE_CHARS:,} to send it."
            )
        return content


class Title(forms.Form):
    """What a conversation is called."""

    title = forms.CharField(max_length=TITLE_CHARS)


class Rating(forms.Form):
    """A thumb up or down; nothing takes it back."""

    feedback = forms.ChoiceField(choices=Message.Feedback.choices, required=False)


class Hiding(forms.Form):
    """Whether an answer is hidden."""

    hidden = forms.TypedChoiceField(choices=[("true", "true"), ("false", "false")], coerce=lambda word: word == "true")


class Search(forms.Form):
    """Words of titles or names, and how many results to show."""

    q = forms.CharField(max_length=200, required=False)
    shown = forms.IntegerField(min_value=1, max_value=10_000, required=False)


class UserChange(forms.Form):
    """Another role, or an account (de)activated."""

    role = forms.ChoiceField(choices=User.Role.choices, required=False)
    is_active = forms.TypedChoiceField(
        choices=[("true", "true"), ("false", "false")],
        coerce=lambda word: word == "true",
        empty_value=None,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a change of nothing."""
        if not self.cleaned_data.get("role") and self.cleaned_data.get("is_active") is None:
            raise forms.ValidationError("Say what is to change.")
        return self.cleaned_data
