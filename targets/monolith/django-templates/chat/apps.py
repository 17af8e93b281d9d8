"""The one application of this site."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """Users, their conversations, and the model's answers."""

    name = "chat"
    verbose_name = "Chat"
