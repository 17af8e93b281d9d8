"""The services beside a target's programs: PostgreSQL and Redis, each a component inside the target's budget."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harness.errors import BenchError
from harness.runtimes.local import postgres
from harness.runtimes.local.component import Launch, Starter
from harness.runtimes.local.postgres import Server

T = TypeVar("T")
PORT_TAKEN = ("address already in use", "port is already", "is not available")  # uvicorn and asyncio, others, Streamlit


def at_free_port(pod: Starter, launch: Callable[[int], T]) -> T:
    """Launch at a free port and return what ``launch`` does; if another program takes the port first, at another."""
    try:
        return launch(pod.free_port())
    except BenchError as error:
        if not any(words in error.message.lower() for words in PORT_TAKEN):
            raise
        return launch(pod.free_port())


def launch_postgres(pod: Starter, server: Server, log: Path, version: str) -> str:
    """Start PostgreSQL and return the URL of its database."""

    def at(port: int) -> str:
        pod.start(
            Launch(
                name="postgres",
                role="target",
                command=server.command(port),
                cwd=server.home,
                env=server.variables(),
                log=log,
                version=version,
                endpoint=f"postgresql://127.0.0.1:{port}/chat",
                ready_url=f"tcp://127.0.0.1:{port}",
            )
        )
        postgres.await_ready(server, log)
        return server.url(port)

    return at_free_port(pod, at)


def launch_redis(pod: Starter, program: Path, data: Path, log: Path, version: str) -> str:
    """Start Redis and return its URL; its options are those of compose/redis/Dockerfile."""
    words = "--bind 127.0.0.1 --appendonly no --maxmemory 256mb --maxmemory-policy allkeys-lru"

    def at(port: int) -> str:
        pod.start(
            Launch(
                name="redis",
                role="target",
                command=(str(program), "--port", str(port), *words.split(), "--save", "", "--dir", str(data)),
                cwd=data,
                env={},
                log=log,
                version=version,
                endpoint=f"redis://127.0.0.1:{port}",
                ready_url=f"tcp://127.0.0.1:{port}",
            )
        )
        return f"redis://127.0.0.1:{port}/0"

    return at_free_port(pod, at)
