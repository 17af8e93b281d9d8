"""Commands beside Flask's own: `flask --app chat seed`."""

import click
from flask import Flask
from flask.cli import with_appcontext

from chat import seed


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(seed_command)


@click.command("seed")
@click.option("--users", type=click.IntRange(1, 9999), default=1000, show_default=True)
@click.option("--conversations", type=click.IntRange(0, 1000), default=10, show_default=True, help="Of each user.")
@click.option("--seed", "number", type=int, default=42, show_default=True, envvar="SEED")
@with_appcontext
def seed_command(users: int, conversations: int, number: int) -> None:
    """Replace everything stored by the data set every build is measured with."""
    people = seed.fill(users, conversations, number)
    click.echo(f"{people} users, {users * conversations} conversations, seed {number}")
