"""What a token costs a relay: the slope of CPU over answers of 10, 100 and 400 tokens; the intercept is the rest."""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

BATCHES = {10: 4, 100: 1, 400: 1}  # tokens per answer: batches of STREAMS turns each
STREAMS = 20
ITL_S = 0.02  # as in every profile
TTFT_S = 0.1
SEED = 42
CSRF = "relay0measurement0relay0measurem"  # 32 letters and digits of the client's own
LOAD = f"slope over answers of {', '.join(map(str, BATCHES))} tokens, {STREAMS} streams"

Request = Callable[[int, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A started relay: where it listens, its CPU so far, how user n sends a message, and what a token's event holds."""

    port: int
    cpu_s: Callable[[], float]  # user + system, all its processes
    request: Request
    token: bytes = b"event: token"
    end: bytes = b"event: done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU of a relay, user + system, all its processes."""

    token_us: float
    turn_us: float  # of an answer of no tokens


def in_conversation(user: int, body: str) -> bytes:
    """Return the request of a seeded user, numbered from 0, who sends a message by the contract."""
    name = f"user{user + 1:04d}"
    session = hashlib.sha256(f"{SEED}:session:{name}".encode()).hexdigest()[:32]
    digest = hashlib.sha256(f"{SEED}:conversation:{name}:0".encode()).hexdigest()
    conversation = f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"
    headers = f"Cookie: sessionid={session}; csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n"
    return post(f"/api/conversations/{conversation}/messages", body, headers)


def bare(user: int, body: str) -> bytes:
    """Return the request to a twin that knows no users."""
    del user
    return post("/relay", body, "")


def post(path: str, body: str, headers: str) -> bytes:
    """Return an HTTP request whose answer ends with the connection."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nAccept: text/event-stream\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def cost(server: Server) -> Cost:
    """Return the least-squares line of CPU per turn over tokens per answer."""
    asyncio.run(_batch(server, 10))  # warm: modules imported, connections open
    per_turn_us: list[float] = []
    for tokens, batches in BATCHES.items():
        before_s = server.cpu_s()
        for _ in range(batches):
            asyncio.run(_batch(server, tokens))
        time.sleep(0.1)  # the work after an answer's last byte counts too
        per_turn_us.append((server.cpu_s() - before_s) / (batches * STREAMS) * 1e6)
    line = statistics.linear_regression(list(BATCHES), per_turn_us)
    return Cost(token_us=line.slope, turn_us=line.intercept)


async def _batch(server: Server, tokens: int) -> None:
    await asyncio.gather(*(_turn(server, user, tokens) for user in range(STREAMS)))


async def _turn(server: Server, user: int, tokens: int) -> None:
    await asyncio.sleep(ITL_S * user / STREAMS)  # phases spread evenly, as those of people would
    message = f"Go on. tag-{user:016x}?tokens={tokens}&ttft_s={TTFT_S}&itl_s={ITL_S}"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(server.request(user, f'{{"content": "{message}"}}'))
    answer = await asyncio.wait_for(reader.read(-1), 60)
    writer.close()
    got = answer.count(server.token)
    if got != tokens or server.end not in answer or b"[end]" not in answer:
        raise RuntimeError(f"port {server.port}: {got} of {tokens} tokens, then {answer[-300:]!r}")
