"""The chat application: conversations with a language model."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    """Registers the groups, which exist once migrations have run."""

    name = "chat"

    def ready(self) -> None:
        """Create groups after migrations: the permissions they hold do not exist earlier."""
        from chat.roles import create_groups

        post_migrate.connect(create_groups, sender=self)
