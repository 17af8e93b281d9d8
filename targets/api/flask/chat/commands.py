"""Commands beside Flask's own: `flask --app chat seed`, and `prepare`, which a container runs first."""

from collections.abc import Callable

import click
import flask_migrate
from flask import Flask
from flask.cli import with_appcontext
from sqlalchemy import exists, select

from chat import seed
from chat.extensions import db
from chat.models import User


def init_app(app: Flask) -> None:
    """Register the commands."""
    app.cli.add_command(seed_command)
    app.cli.add_command(prepare_command)


def of_the_data_set(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how large it is, and its seed."""
    number = click.option("--seed", "number", type=int, default=42, show_default=True, envvar="SEED")
    users = click.option("--users", type=click.IntRange(1, 9999), default=1000, show_default=True)
    conversations = click.option(
        "--conversations", type=click.IntRange(0, 1000), default=10, show_default=True, help="Of each user."
    )
    return users(conversations(number(command)))


@click.command("seed")
@of_the_data_set
@with_appcontext
def seed_command(users: int, conversations: int, number: int) -> None:
    """Replace everything stored by the data set every build is measured with."""
    people = seed.fill(users, conversations, number)
    click.echo(f"{people} users, {users * conversations} conversations, seed {number}")


@click.command("prepare")
@of_the_data_set
@with_appcontext
def prepare_command(users: int, conversations: int, number: int) -> None:
    """Bring the schema up to date, and seed an empty database; what is there stays as it is."""
    flask_migrate.upgrade()
    if not db.session.scalar(select(exists().select_from(User))):
        seed.fill(users, conversations, number)
