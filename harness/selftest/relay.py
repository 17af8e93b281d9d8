"""A chatbot of known behaviour: relays the model's answers, delayed, queued, stalled or spoilt as its options say.

A program of its own (standard library only), so that the harness measures it as it measures any target. It logs when it
had each request and when it really wrote each token: the truth that the harness's figures are compared with. Waiting is
simulated, by deadlines of the monotonic clock, and takes no CPU time.
"""

import argparse
import asyncio
import hashlib
import json
import math
import mmap
import os
import re
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TAG = re.compile(rb"tag-([0-9a-f]{16})")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


def options() -> argparse.Namespace:
    """Return what the command line asks for; all times in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--llm", required=True, help="base URL of the model, /v1 included")
    add("--log", type=Path, required=True, help="file to append a line of JSON per answer to")
    add("--hold-s", type=float, default=0.0, help="each token of an answer waits up to this long, by the message's tag")
    add("--pause-s", type=float, default=0.0, help="a gap before the sixth token, up to this long, by the tag")
    add("--per-turn-s", type=float, default=0.0, help="one turn after another is let through, each taking this long")
    add("--random", action="store_true", help="the time per turn is exponential with that mean, by the tag")
    add("--per-token-s", type=float, default=0.0, help="one token after another is let through, each taking this long")
    add("--stall-s", type=float, default=0.0, help="nothing is written for this long …")
    add("--every-s", type=float, default=0.0, help="… out of every so many seconds")
    add("--drift", type=float, default=0.0, help="every token waits longer, by so many seconds a second")
    add("--leak-bytes", type=int, default=0, help="kept for ever for every session that is opened")
    add("--rephrases", action="store_true", help="the model rephrases each message first, and answers that")
    add("--fault", choices=("buffers", "mixes-up", "cuts", "silent"))
    return parser.parse_args()


def share(tag: str, what: str) -> float:
    """Return a number strictly between 0 and 1 that is always the same for a tag."""
    return (int(hashlib.sha256(f"{tag}:{what}".encode()).hexdigest()[:13], 16) + 0.5) / 2**52


@dataclass(slots=True)
class Queue:
    """A single server that exists on paper only: a customer waits until all before it were served."""

    free_at_s: float = 0.0

    def leaves_at(self, now_s: float, service_s: float) -> float:
        """Return when somebody who comes now has been served."""
        self.free_at_s = max(now_s, self.free_at_s) + service_s
        return self.free_at_s


@dataclass(slots=True)
class Relay:
    """The server's state."""

    wanted: argparse.Namespace
    log: int
    turns: Queue = field(default_factory=Queue)
    tokens: Queue = field(default_factory=Queue)
    leaked: list[mmap.mmap] = field(default_factory=list)
    previous: str = ""
    started_s: float = field(default_factory=time.monotonic)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other."""
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, path = head.decode("latin-1").split(" ", 2)[:2]
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                if method == "POST" and path.endswith(("/messages", "/chat/completions")):
                    await Answer(self, writer, rest=path.endswith("/messages")).give(body)
                else:
                    writer.write(self.plain(method, path))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the person left
        finally:
            writer.close()

    def plain(self, method: str, path: str) -> bytes:
        """Return the whole response to any other request of the REST contract."""
        status, extra = 200, ""
        document: dict[str, object] = {"results": []}
        if path == "/api/auth/me":
            extra = "Set-Cookie: csrftoken=known; Path=/\r\n"
            self.leak()
        elif method == "POST":
            status, document = 201, {"id": "known"}
        data = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
        return head.encode() + data

    def leak(self) -> None:
        """Keep private memory of the stated size, every page of it touched."""
        if self.wanted.leak_bytes:
            kept = mmap.mmap(-1, self.wanted.leak_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            kept.madvise(mmap.MADV_NOHUGEPAGE)  # a huge page would round the size up
            for page in range(0, self.wanted.leak_bytes, mmap.PAGESIZE):
                kept[page] = 1
            self.leaked.append(kept)

    def after_stall(self, due_s: float) -> float:
        """Return when something due then may be written."""
        stall_s: float = self.wanted.stall_s
        return due_s + max(0.0, stall_s - due_s % self.wanted.every_s) if stall_s else due_s


@dataclass(slots=True)
class Answer:
    """One answer on its way through the relay; times of the monotonic clock."""

    relay: Relay
    writer: asyncio.StreamWriter
    rest: bool
    request_s: float = field(default_factory=time.monotonic)
    written_s: list[float] = field(default_factory=list)
    model_s: float = 0.0  # spent on waiting for the model before its first token

    async def give(self, body: bytes) -> None:
        """Stream the model's answer to a message in the protocol that it was asked in, and log it."""
        wanted, found = self.relay.wanted, TAG.findall(body)
        tag = found[-1].decode() if found else ""
        asked, self.relay.previous = self.relay.previous or tag, tag
        content = asked if wanted.fault == "mixes-up" else tag
        if wanted.per_turn_s:
            service_s = wanted.per_turn_s * (-math.log(share(tag, "service")) if wanted.random else 1.0)
            await until(self.relay.turns.leaves_at(time.monotonic(), service_s))
        self.writer.write(STREAM)
        if wanted.fault != "silent":
            due: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
            reading = asyncio.create_task(self.read_model(content, tag, due))
            await self.write_tokens(due)
            await reading
        end = event("done", {"message": {}}) if self.rest else b"data: [DONE]\n\n"
        done_s = time.monotonic()
        self.writer.write(chunk(end) + LAST_CHUNK)
        line = {"tag": tag, "request_s": self.request_s, "written_s": self.written_s, "done_s": done_s}
        line["model_s"] = self.model_s
        os.write(self.relay.log, json.dumps(line | {"cpu_s": time.process_time()}).encode() + b"\n")
        await self.writer.drain()

    async def read_model(self, asked: str, tag: str, due: "asyncio.Queue[tuple[float, str] | None]") -> None:
        """Put every token of the model's answer into ``due``, with the time at which it is to be written."""
        wanted = self.relay.wanted
        hold_s, pause_s = wanted.hold_s * share(tag, "hold"), wanted.pause_s * share(tag, "pause")
        hold_s += wanted.drift * (self.request_s - self.relay.started_s)
        question = await self.rephrased(asked) if wanted.rephrases else f"tag-{asked}"
        reader, writer = await self.ask(question, stream=True)
        number, asked_s = 0, time.monotonic()
        while (line := await reader.readline()) and not line.startswith(b"data: [DONE]"):
            choices = json.loads(line[6:])["choices"] if line.startswith(b"data: ") else []
            if choices and (text := choices[0]["delta"].get("content")):
                came_s = time.monotonic()
                self.model_s += came_s - asked_s if number == 0 else 0.0
                due_s = came_s + hold_s + (pause_s if number >= 5 else 0.0)
                if wanted.per_token_s:
                    due_s = self.relay.tokens.leaves_at(due_s, wanted.per_token_s)
                due.put_nowait((due_s, text))
                number += 1
        writer.close()
        due.put_nowait(None)
        if not line:
            raise ConnectionError("the model left in the middle of an answer")

    async def rephrased(self, asked: str) -> str:
        """Return the model's own words for a message, without the message's tag."""
        asked_s = time.monotonic()
        reader, writer = await self.ask(f"Rephrase: tag-{asked}", stream=False)
        body = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        self.model_s += time.monotonic() - asked_s
        return str(json.loads(body)["choices"][0]["message"]["content"])

    async def ask(self, question: str, *, stream: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a question to the model on a connection of its own."""
        place = urlsplit(self.relay.wanted.llm)
        message = {"model": "known", "stream": stream, "messages": [{"role": "user", "content": question}]}
        data = json.dumps(message).encode()
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        head = f"POST {place.path}/chat/completions HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(data)}\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\nConnection: close\r\n\r\n" + data)
        return reader, writer

    async def write_tokens(self, due: "asyncio.Queue[tuple[float, str] | None]") -> None:
        """Write each token when its time has come; a fault spoils them."""
        fault, texts = self.relay.wanted.fault, []
        while (one := await due.get()) is not None:
            texts.append(one[1])
            if fault == "buffers" or (fault == "cuts" and len(texts) > 4):
                continue
            await until(self.relay.after_stall(one[0]))
            self.write(one[1])
        if fault == "buffers":
            for text in texts:
                self.write(text)

    def write(self, text: str) -> None:
        """Write one token."""
        self.written_s.append(time.monotonic())
        data = event("token", {"text": text}) if self.rest else completion(text)
        self.writer.write(chunk(data))


async def until(due_s: float) -> None:
    """Wait until a time of the monotonic clock."""
    while (left_s := due_s - time.monotonic()) > 0:
        await asyncio.sleep(left_s)


def chunk(data: bytes) -> bytes:
    """Return data as one piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(name: str, document: dict[str, object]) -> bytes:
    """Return a server-sent event of the REST contract."""
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()


def completion(text: str) -> bytes:
    """Return a token as OpenAI's protocol has it."""
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


async def serve(wanted: argparse.Namespace) -> None:
    """Serve until SIGTERM."""
    relay = Relay(wanted, os.open(wanted.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
    server = await asyncio.start_server(relay.talk, "127.0.0.1", wanted.port, backlog=1024)
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    async with server:
        await over.wait()
        os._exit(0)  # open streams end here: their people are gone


if __name__ == "__main__":
    asyncio.run(serve(options()))
