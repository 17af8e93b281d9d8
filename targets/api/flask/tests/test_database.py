"""SQLite with several writers: nobody is told that the database is locked, and nobody stands still meanwhile."""

import sqlite3
import time
from pathlib import Path

import gevent
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from chat import database
from chat.extensions import db
from chat.models import Conversation, User
from tests.users import Users


def another_writer(app: Flask) -> sqlite3.Connection:
    """Return a connection to the same file, as another process has one."""
    path = Path(str(app.config["DATA_DIR"]), "chat.sqlite3")
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def rename(users: Users, title: str) -> None:
    with users.app.app_context():
        db.session.execute(update(Conversation).where(Conversation.id == users.conversation).values(title=title))
        db.session.commit()


def test_database_is_set_up_as_the_contract_says(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        values = [connection.exec_driver_sql(f"PRAGMA {n}").scalar() for n in ("journal_mode", "synchronous")]
        assert values == ["wal", 1]
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000


def test_writer_waits_for_another_process_while_other_greenlets_go_on(users: Users) -> None:
    other = another_writer(users.app)
    other.execute("BEGIN IMMEDIATE")
    ticks: list[float] = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.01)

    ticking, writing = gevent.spawn(tick), gevent.spawn(rename, users, "Later")
    gevent.sleep(0.3)
    assert not writing.dead
    assert len(ticks) > 5
    other.execute("COMMIT")
    writing.get(timeout=5)
    ticking.kill()
    other.close()


def test_writers_of_one_process_wait_for_each_other(users: Users) -> None:
    def write_slowly(number: int) -> None:
        with users.app.app_context():
            db.session.execute(update(User).where(User.id == users.ids["ann"]).values(username=f"ann{number}"))
            gevent.sleep(0.05)  # what no code here does, and what would block all if the wait were SQLite's
            db.session.commit()

    gevent.joinall([gevent.spawn(write_slowly, number) for number in range(5)], timeout=4, raise_error=True)
    with users.app.app_context():
        assert db.session.scalar(select(User.username).where(User.id == users.ids["ann"])) != "ann"


def test_reading_before_writing_does_not_fail_when_somebody_else_wrote_in_between(users: Users) -> None:
    other = another_writer(users.app)
    with users.app.app_context():
        conversation = db.session.get(Conversation, users.conversation)
        assert conversation is not None
        other.execute("UPDATE users SET role = role")
        conversation.title = "Mine"
        db.session.commit()
    other.close()


def test_writer_that_waited_long_enough_gives_up(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.1)
    other = another_writer(users.app)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"):
        rename(users, "Never")
    other.close()
    rename(users, "Now")


def test_reading_takes_no_lock(users: Users) -> None:
    other = another_writer(users.app)
    with users.app.app_context():
        db.session.scalars(select(User)).all()
        other.execute("BEGIN IMMEDIATE")
        assert len(db.session.scalars(select(User)).all()) == 4
    other.close()
