"""Commands: ``python -m app migrate`` creates the tables, ``python -m app seed`` fills them."""

import argparse
import asyncio

from app import seed
from app.database import Connections
from app.settings import Settings, from_environment


def main() -> None:
    """Run one command."""
    settings = from_environment()
    parser = argparse.ArgumentParser(prog="python -m app", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="create the tables that are missing")
    filling = commands.add_parser("seed", help="replace everything stored by the data set of the contract")
    filling.add_argument("--users", type=int, default=1000)
    filling.add_argument("--conversations", type=int, default=10)
    filling.add_argument("--seed", type=int, default=settings.seed)
    asyncio.run(run(settings, parser.parse_args()))


async def run(settings: Settings, arguments: argparse.Namespace) -> None:
    """Create the tables; fill them if that is asked for."""
    database = Connections(settings)
    try:
        await database.create_tables()
        if arguments.command == "seed":
            await seed.fill(
                database,
                settings.secret_key.get_secret_value(),
                people=arguments.users,
                conversations=arguments.conversations,
                seed=arguments.seed,
            )
    finally:
        await database.close()


if __name__ == "__main__":
    main()
