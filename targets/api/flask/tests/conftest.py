"""An application on a database in a scratch folder; Redis too where REDIS_URL names one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from chat import create_app, passwords
from chat.extensions import cache, db
from tests.users import Users, settle


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> Iterator[None]:
    """Hash quickly; one test looks at the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "ITERATIONS", 1000)
        yield


def settings_in(folder: Path) -> dict[str, object]:
    """Return settings of an application in a scratch folder; nobody listens where the model should be."""
    return {
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": "of-the-tests",
        "LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "RATE_LIMIT_PER_MINUTE": 1000,
        "TESTING": True,
        "PROPAGATE_EXCEPTIONS": False,  # what breaks is answered as in service
    }


@contextmanager
def application(settings: dict[str, object]) -> Iterator[Flask]:
    """Make an application with an empty cache; close its database in the end."""
    app = create_app(**settings)
    if cache.client is not None:
        cache.client.flushdb()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    if cache.client is not None:
        cache.client.close()


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, object]:
    """Settings of one test's application."""
    return settings_in(tmp_path)


@pytest.fixture
def app(settings: dict[str, object]) -> Iterator[Flask]:
    """The application."""
    with application(settings) as app:
        yield app


@pytest.fixture
def users(app: Flask) -> Users:
    """The users and their data."""
    return settle(app)
