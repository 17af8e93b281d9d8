"""What a container runs before the site: the schema brought up to date, demonstration data unless there are users."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from chat.models import User


class Command(BaseCommand):
    """Migrate, and seed an empty database; what is there stays as it is."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the size and the seed."""
        parser.add_argument("--users", type=int, default=1000)
        parser.add_argument("--conversations", type=int, default=10)
        parser.add_argument("--seed", type=int, default=42)

    def handle(self, *args: Any, users: int, conversations: int, seed: int, **options: Any) -> None:
        """Prepare the database."""
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            call_command("seed", users=users, conversations=conversations, seed=seed)
