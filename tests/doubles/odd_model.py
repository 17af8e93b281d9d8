"""A model as others are: ``python odd_model.py PORT LOG``; a message says by ``mode=NAME`` how it is answered.

Answers begin with the message's nonce and end with the end marker, as virtual users want them. LOG gets a line of JSON
per request: its mode, its messages, and its headers in lower case.
"""

import hashlib
import json
import re
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SEED = 42
PAUSE_S = 0.02
WORDS = ["Grüße ", "日本\u2028", "😀 ", "[end]"]
MODE, TAG = re.compile(r"mode=(\w+)"), re.compile(r"tag-([0-9a-f]{16})")
Event = dict[str, Any] | str


def chunk(delta: object = None, finish_reason: str | None = None, **more: object) -> Event:
    """Return one chunk of a stream."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice], **more}


def said(words: list[str]) -> list[Event]:
    """Return the chunks of these words, the role before them."""
    return [chunk({"role": "assistant", "content": "", "refusal": None}), *(chunk({"content": word}) for word in words)]


OVER: list[Event] = [chunk({}, "stop")]
USAGE: Event = {"id": "chatcmpl-1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 8}}
ERROR: Event = {"error": {"message": "The server had an error", "type": "server_error", "param": None, "code": None}}
#: mode -> the events that answer with these words
EVENTS: dict[str, Callable[[list[str]], list[Event]]] = {
    "plain": lambda words: [*said(words), *OVER, USAGE, "[DONE]"],
    "no_done": lambda words: [*said(words), *OVER],
    "done_alone": lambda words: [*said(words), "[DONE]"],
    "delta_null": lambda words: [*said(words), chunk(None, "stop"), "[DONE]"],
    "reasons": lambda words: [
        chunk({"content": None, "reasoning_content": "hm"}, "stop"),
        *(chunk({"content": word}, "stop") for word in words),
    ],
    "no_choices": lambda words: [USAGE, {"choices": None}, {}, "7", *said(words), *OVER, "[DONE]"],
    "error_null": lambda words: [chunk({"content": word}, error=None) for word in words] + OVER,
    "reasoning": lambda words: [chunk({"content": None, "reasoning_content": "hm"}), *said(words), *OVER, "[DONE]"],
    "parts": lambda words: [chunk({"content": [{"type": "text", "text": word}]}) for word in words] + OVER,
    "refusal": lambda words: [chunk({"content": None, "refusal": word}) for word in words] + OVER,
}
#: mode -> what becomes of a plain answer's bytes
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "comments": lambda data: b": still here\n\n:\n\nevent: ping\nid: 7\n\n" + data,
    "mark": lambda data: b"\xef\xbb\xbf" + data,
    "lines": lambda data: data.replace(b', "choices"', b',\ndata: "choices"'),
    "single": lambda data: data.replace(b"\n\n", b"\n"),
}
#: how an answer fails: these come after the first two pieces
BROKEN: dict[str, list[Event]] = {"error": [ERROR], "nonsense": ["{nonsense"], "cut": [], "silent_end": []}
REFUSED = {"429": b'{"error": {"message": "slow down"}}', "500": b"<html><h1>Internal Server Error</h1></html>"}
FINE = (*EVENTS, *BYTES, "small", "gzip", "deflate", "closed", "abrupt", "whole")


class Handler(BaseHTTPRequestHandler):
    """Answers every request by its mode."""

    protocol_version = "HTTP/1.1"
    log: Path

    def do_GET(self) -> None:
        """Say that it is up."""
        self._whole(200, b"{}")

    def do_POST(self) -> None:
        """Answer, and note what was asked."""
        messages = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
        asked = [message["content"] for message in messages if message["role"] == "user"][-1]
        mode = MODE.findall(asked)[-1]
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"mode": mode, "messages": messages, "headers": headers}) + "\n")
        if mode in REFUSED:
            self._whole(int(mode), REFUSED[mode])
            return
        nonce = hashlib.sha256(f"{SEED}:{TAG.findall(asked)[-1]}".encode()).hexdigest()[:12]
        words = [f"{nonce} ", *WORDS]
        if mode == "whole":
            message = {"message": {"role": "assistant", "content": "".join(words)}, "finish_reason": "stop"}
            self._whole(200, json.dumps({"choices": [{"index": 0, **message}]}, indent=1).encode())
            return
        events = said(words[:2]) + BROKEN[mode] if mode in BROKEN else EVENTS.get(mode, EVENTS["plain"])(words)
        self._stream(mode, events)

    def _stream(self, mode: str, events: list[Event]) -> None:
        chunked, encoding = mode != "closed", mode if mode in ("gzip", "deflate") else None
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Connection", "close")))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        packer = zlib.compressobj(wbits=31 if mode == "gzip" else 15) if encoding else None
        for data in self._pieces(mode, events):
            packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) if packer else data
            self._send(packed, chunked=chunked)
            time.sleep(PAUSE_S)
        if packer:
            self._send(packer.flush(), chunked=chunked)
        if chunked and mode not in ("cut", "abrupt"):
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = mode in ("closed", "cut", "abrupt")

    def _pieces(self, mode: str, events: list[Event]) -> Iterator[bytes]:
        lines = [event if isinstance(event, str) else json.dumps(event, ensure_ascii=False) for event in events]
        change = BYTES.get(mode, lambda data: data)
        if mode == "small":
            whole = "".join(f"data: {line}\n\n" for line in lines).encode()
            yield from (whole[at : at + 61] for at in range(0, len(whole), 61))
        elif mode in BYTES:
            yield change("".join(f"data: {line}\n\n" for line in lines).encode())
        else:
            yield from (f"data: {line}\n\n".encode() for line in lines)

    def _send(self, data: bytes, *, chunked: bool) -> None:
        if data:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)

    def _whole(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if body.startswith(b"{") else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Stay silent."""


if __name__ == "__main__":
    Handler.log = Path(sys.argv[2])
    Handler.log.touch()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
