"""How Alembic reaches the database: through the application's engine."""

from logging.config import fileConfig
from typing import Any

from alembic import context
from flask import current_app

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)
extension = current_app.extensions["migrate"]


def keep_if_changed(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Write no migration where nothing changed."""
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def configure(**connected: Any) -> None:
    """Run the migrations, with a connection or as a script."""
    settings = {"process_revision_directives": keep_if_changed, **extension.configure_args}
    context.configure(target_metadata=extension.db.metadata, **connected, **settings)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    configure(url=extension.db.engine.url, literal_binds=True)
else:
    with extension.db.engine.connect() as connection:
        configure(connection=connection)
