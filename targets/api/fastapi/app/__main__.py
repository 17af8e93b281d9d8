"""Commands: ``python -m app migrate`` makes the tables, ``seed`` fills them, ``prepare`` both if nobody is there."""

import argparse
import asyncio

from sqlalchemy import exists, select

from app import seed
from app.database import Connections
from app.settings import Settings, from_environment
from app.tables import users


def main() -> None:
    """Run one command."""
    settings = from_environment()
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="create the tables that are missing")
    for name, says in (
        ("seed", "replace everything stored by the data set of the contract"),
        ("prepare", "the same, unless there are users: what a container runs first"),
    ):
        filling = commands.add_parser(name, help=says)
        filling.add_argument("--users", type=int, default=1000)
        filling.add_argument("--conversations", type=int, default=10)
        filling.add_argument("--seed", type=int, default=settings.seed)
    asyncio.run(run(settings, parser.parse_args()))


async def run(settings: Settings, arguments: argparse.Namespace) -> None:
    """Create the tables; fill them if that is asked for."""
    database = Connections(settings)
    try:
        await database.create_tables()
        if arguments.command == "seed" or (arguments.command == "prepare" and not await has_users(database)):
            await seed.fill(
                database,
                settings.secret_key.get_secret_value(),
                people=arguments.users,
                conversations=arguments.conversations,
                seed=arguments.seed,
            )
    finally:
        await database.close()


async def has_users(database: Connections) -> bool:
    """Tell whether anybody is stored."""
    async with database.read() as connection:
        return bool(await connection.scalar(select(exists().select_from(users))))


if __name__ == "__main__":
    main()
