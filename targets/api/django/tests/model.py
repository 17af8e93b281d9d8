"""A language model for the tests: says what it is told to, as raw HTTP on a real socket."""

import asyncio
import json
from typing import Any

from chat import language_model

Script = list[str | float | bytes]  # text of a token · seconds to wait · raw bytes


class FakeModel:
    """Answers every request by its script; keeps what it was sent and whether it was left."""

    def __init__(self, script: Script, *, status: str = "200 OK", finish: bool = True) -> None:
        self.script = script
        self.status = status
        self.finish = finish
        self.requests: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.served = asyncio.Semaphore(0)

    async def __aenter__(self) -> "FakeModel":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1/chat/completions"
        return self

    async def __aexit__(self, *_: object) -> None:
        await language_model.close()
        for _request in self.requests:
            await self.served.acquire()
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.requests.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n".encode())
        answer = asyncio.create_task(self._answer(writer))
        await reader.read(1)  # nothing more is sent: the client has gone, or was answered
        self.left.set()
        answer.cancel()
        await asyncio.wait([answer])
        writer.close()
        self.served.release()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        for step in self.script:
            if isinstance(step, float):
                await asyncio.sleep(step)
                continue
            if isinstance(step, str):
                step = b"data: " + json.dumps({"choices": [{"delta": {"content": step}}]}).encode() + b"\n\n"
            writer.write(step)
            await writer.drain()
        if self.finish:
            writer.write(b"data: [DONE]\n\n")
        writer.close()
