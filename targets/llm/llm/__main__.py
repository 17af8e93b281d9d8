"""Command line: ``python -m llm --port 8001``."""

import argparse
import asyncio
import gc
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from .answering import Model
from .answers import MAX_TOKENS, MAX_WAIT_S, MIN_TOKENS, Timing
from .calls import Calls
from .connection import Connection
from .emissions import EmissionLog
from .scheduler import Scheduler

BACKLOG = 4096


def main() -> None:
    """Serve until SIGTERM or SIGINT; exit 1 with a sentence where that cannot be."""
    options = _parser().parse_args()
    _raise_file_limit()
    try:
        uvloop.run(serve(options))
    except OSError as error:
        sys.exit(f"llm: cannot start: {error}; choose another --port (0 takes a free one) or --log")


async def serve(options: argparse.Namespace) -> None:
    """Listen, say where, and serve until a signal comes; unfinished answers are logged as such.

    Raises:
        OSError: the address is taken or the log cannot be opened.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    log = EmissionLog(options.log, loop)
    timing = Timing(
        ttft_s=options.ttft_s,
        ttft_sigma=options.ttft_sigma,
        itl_s=options.itl_s,
        tokens=options.tokens,
        tokens_sigma=options.tokens_sigma,
        tokens_quantiles=options.tokens_quantiles,
    )
    model = Model(
        seed=options.seed,
        timing=timing,
        step_ms=options.step_ms,
        stall_s=options.stall_s,
        scheduler=Scheduler(loop),
        log=log,
        calls=Calls(),
    )
    connections: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(model, connections), options.host, options.port, backlog=BACKLOG
    )
    print(f"llm: http://{options.host}:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    gc.freeze()  # what was imported stays: no collection needs to look at it again
    try:
        await stopped.wait()
    finally:
        server.close()
        for connection in tuple(connections):
            connection.abort()
        log.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llm", description="A language model of known timing (OpenAI API).")
    wait, sigma = _number(float, 0, MAX_WAIT_S), _number(float, 0, 5)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_number(int, 0, 65535), default=8001, help="0 takes a free one; it is printed (%(default)s)")
    add("--seed", type=int, default=42, help="of nonces and draws (%(default)s)")
    add("--ttft-s", type=wait, default=0.3, help="time to first token, median (%(default)s)")
    add("--ttft-sigma", type=sigma, default=0.0, help="its log-normal sigma, 0: constant (%(default)s)")
    add("--itl-s", type=wait, default=0.02, help="time between tokens (%(default)s)")
    add("--tokens", type=_number(int, MIN_TOKENS, MAX_TOKENS), default=40, help="per answer, median (%(default)s)")
    add("--tokens-sigma", type=sigma, default=0.0, help="its log-normal sigma, 0: constant (%(default)s)")
    add("--tokens-quantiles", type=_quantiles, default=(), help="instead: at equal steps from 0 to 100 %%, by commas")
    add("--step-ms", type=_number(int, 1, 100), default=10, help="tokens leave in steps of at most this (%(default)s)")
    add("--stall-s", type=wait, default=5.0, help="how long the fault 'stall' lasts (%(default)s)")
    add("--log", type=Path, help="file to append a line of JSON per answer to")
    return parser


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    parse.__name__ = kind.__name__  # argparse names it in "invalid … value"
    return parse


def _quantiles(text: str) -> tuple[int, ...]:
    found = tuple(int(_number(int, MIN_TOKENS, MAX_TOKENS)(one)) for one in text.split(",")) if text else ()
    if len(found) == 1 or list(found) != sorted(found):
        raise argparse.ArgumentTypeError(f"{text} is not ascending, or only one")
    return found


def _raise_file_limit() -> None:
    """A connection is an open file; the usual soft limit of 1,024 is there for programs that use select()."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
