"""A chatbot behind a REST API, built with Flask."""

import os

from flask import Flask

from chat import commands, config, problems, security, site
from chat.answers import OrjsonProvider
from chat.blueprints import BLUEPRINTS
from chat.extensions import cache, csrf, db, login_manager, migrate, model
from chat.sessions import StoredSessions


def create_app(**settings: object) -> Flask:
    """Return the application; ``settings`` go before those of the environment.

    Raises:
        SettingError: a setting is missing or malformed.
    """
    app = Flask(__name__, static_folder=None)
    app.config.from_mapping({**config.from_environment(settings), **settings})
    app.json = OrjsonProvider(app)
    app.session_interface = StoredSessions()
    app.url_map.merge_slashes = False  # a path is what it says; nothing is redirected

    db.init_app(app)
    # Relative: Alembic reads its folder from a configuration, where a % in the checkout's path is a sign of its own.
    migrate.init_app(app, db, directory=os.path.relpath(config.MIGRATIONS))
    cache.init_app(app)
    model.init_app(app)
    login_manager.init_app(app)
    csrf.init_app(app)

    security.init_app(app)
    problems.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    site.init_app(app)
    commands.init_app(app)
    return app
