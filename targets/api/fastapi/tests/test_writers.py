"""Several processes writing into one SQLite file wait for each other; none is told that the database is locked."""

import asyncio
import sys
from pathlib import Path

import pytest
from app.database import Connections
from app.settings import Settings
from app.tables import conversations, users
from sqlalchemy import func, insert, select

pytestmark = pytest.mark.anyio
WRITERS, WRITES = 3, 60
WRITER = """
import asyncio, sys, uuid
from pathlib import Path
from app.database import Connections
from app.settings import Settings
from app.tables import conversations, now
from sqlalchemy import insert, select, update

async def write(database):
    async with database.write() as connection:  # reads before it writes: the case that deadlocks without IMMEDIATE
        await connection.execute(select(conversations.c.id).limit(1))
        id = uuid.uuid4()
        row = {"id": id, "owner_id": 1, "title": "x", "created_at": now()}
        await connection.execute(insert(conversations), row)
        await connection.execute(update(conversations).where(conversations.c.id == id).values(title="y"))

async def main():
    database = Connections(Settings(secret_key="x", llm_base_url="http://x/v1", data_dir=Path(sys.argv[1])))
    for _ in range(int(sys.argv[2]) // 10):
        await asyncio.gather(*(write(database) for _ in range(10)))
    await database.close()

asyncio.run(main())
"""


async def test_writers_of_several_processes_wait_for_each_other(tmp_path: Path) -> None:
    database = Connections(Settings(secret_key="x", llm_base_url="http://x/v1", data_dir=tmp_path, database_url=None))
    await database.create_tables()
    async with database.write() as connection:
        await connection.execute(insert(users), {"id": 1, "username": "ann", "password": "x", "role": "user"})
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(WRITES)]
    folder = Path(__file__).parents[1]
    processes = [
        await asyncio.create_subprocess_exec(*command, cwd=folder, stderr=asyncio.subprocess.PIPE)
        for _ in range(WRITERS)
    ]
    for process in processes:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    async with database.read() as connection:
        written = await connection.scalar(
            select(func.count()).select_from(conversations).where(conversations.c.title == "y")
        )
        mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar_one()
    await database.close()
    assert (written, mode) == (WRITERS * WRITES, "wal")
