"""The record of a browser's network events and page changes, on this machine's monotonic clock.

Chromium on Linux takes its event times (``Network.MonotonicTime``) from CLOCK_MONOTONIC, as ``time.monotonic`` does;
``tests/e2e/pages/test_arrival.py`` checks that.
"""

import base64
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import CDPSession, ConsoleMessage, Dialog, Error, Page

from harness.records.recipe import END_MARKER

#: what Streamlit's page names a picture whose address has not come whole yet: no request leaves for it
UNFINISHED_PICTURE = "streamdown:incomplete-image"
#: notes in the page when each awaited answer first shows its nonce and its end, and how its text grew
OBSERVER = """
(() => {
  window.awaited = {};
  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    for (const [nonce, seen] of Object.entries(window.awaited)) {
      if (seen.last !== undefined) continue;
      const text = document.body ? document.body.textContent : '';
      const at = text.lastIndexOf(nonce);
      if (at < 0) continue;
      seen.first ??= now();
      const end = text.indexOf('[end]', at);
      if (end >= 0) seen.last = now();
      else if (text.length - at !== seen.lengths[seen.lengths.length - 1]) seen.lengths.push(text.length - at);
    }
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true, characterData: true});
})()
"""


@dataclass(slots=True)
class EventStream:
    """An event stream as it came: its bytes, and when how many of them were there."""

    content: bytes = b""
    pieces: list[tuple[float, int]] = field(default_factory=list)

    def arrival_s(self, length: int) -> float:
        """Return when the first ``length`` bytes were there."""
        return next(at_s for at_s, total in self.pieces if total >= length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The times of an answer's first and last token at a stage; seconds on the monotonic clock."""

    first_s: float
    last_s: float


class Watch:
    """Records a page's network events and awaits answers in its text; begin before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requested: dict[str, str] = {}  # request id -> address
        self.blocked: set[str] = set()  # by the page's own policy: never left
        self.dialogs: list[str] = []
        self.errors: list[str] = []  # of the page's scripts and in its console
        self.streams: dict[str, EventStream] = {}
        self.frames: list[tuple[float, bytes]] = []
        self.request_times: list[tuple[float, float]] = []  # monotonic as the browser says it, wall clock
        page.add_init_script(OBSERVER)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._console)
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.on("Network.requestWillBeSent", self._request)
        self._cdp.on("Network.webSocketCreated", lambda e: self.requested.update({e["requestId"]: e["url"]}))
        self._cdp.on("Network.loadingFailed", self._failed)
        self._cdp.on("Network.responseReceived", self._response)
        self._cdp.on("Network.dataReceived", self._data)
        self._cdp.on("Network.webSocketFrameReceived", self._frame)
        self._cdp.send("Network.enable")

    def foreign_requests(self) -> list[str]:
        """Return the addresses of requests that left for elsewhere."""
        own = urllib.parse.urlsplit(self.page.url).netloc
        found = []
        for number, address in self.requested.items():
            url = urllib.parse.urlsplit(address)
            if address == UNFINISHED_PICTURE:
                continue
            if url.scheme not in ("data", "blob", "about") and url.netloc != own and number not in self.blocked:
                found.append(address)
        return found

    def await_answer(self, nonce: str) -> None:
        """Begin to look for an answer in the page's text."""
        self.page.evaluate("nonce => { window.awaited[nonce] = {lengths: []} }", nonce)

    def shown(self, nonce: str) -> tuple[Sighting, list[int]]:
        """Wait until the answer's end is in the page; return when it was, and the lengths its text went through."""
        self.page.wait_for_function("nonce => window.awaited[nonce].last", arg=nonce)
        seen = self.page.evaluate("nonce => window.awaited[nonce]", nonce)
        offset_s = time.time() - time.monotonic()
        times = Sighting(first_s=seen["first"] / 1000 - offset_s, last_s=seen["last"] / 1000 - offset_s)
        return times, list(seen["lengths"])

    def framed(self, nonce: str) -> Sighting:
        """Return when the WebSocket frames or stream pieces with the answer's nonce and end arrived.

        Raises:
            LookupError: the browser's network events hold no such answer.
        """
        begin, end = nonce.encode(), END_MARKER.encode()
        first_s = next((at_s for at_s, payload in self.frames if begin in payload), None)
        if first_s is not None:
            last_s = next(at_s for at_s, payload in self.frames if begin in payload and end in payload)
            return Sighting(first_s=first_s, last_s=last_s)
        for stream in self.streams.values():
            if begin in stream.content:
                at = stream.content.index(begin)
                return Sighting(
                    first_s=stream.arrival_s(at + len(begin)),
                    last_s=stream.arrival_s(stream.content.index(end, at) + len(end)),
                )
        raise LookupError(f"no frame or stream of this page holds {nonce}")

    def _request(self, event: dict[str, Any]) -> None:
        self.requested[event["requestId"]] = event["request"]["url"]
        self.request_times.append((event["timestamp"], event["wallTime"]))

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        # a page asks who is signed in before anybody is; Chromium writes down each 401 as an error
        asked_who = message.location.get("url", "").endswith("/api/auth/me") and "401" in message.text
        if message.type == "error" and not asked_who:
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _failed(self, event: dict[str, Any]) -> None:
        if event.get("blockedReason") == "csp":
            self.blocked.add(event["requestId"])

    def _response(self, event: dict[str, Any]) -> None:
        if event["response"]["mimeType"] == "text/event-stream":
            stream = self.streams[event["requestId"]] = EventStream()
            # from now on the browser's events bring the bytes themselves, which it keeps for no stream
            try:
                begun = self._cdp.send("Network.streamResourceContent", {"requestId": event["requestId"]})
            except Error:  # the answer was over by then; whoever asks ``framed`` for it is told so
                return
            stream.content = base64.b64decode(begun["bufferedData"]) + stream.content

    def _data(self, event: dict[str, Any]) -> None:
        stream = self.streams.get(event["requestId"])
        if stream is not None:
            length = stream.pieces[-1][1] if stream.pieces else 0
            stream.pieces.append((event["timestamp"], length + event["dataLength"]))
            stream.content += base64.b64decode(event.get("data", ""))

    def _frame(self, event: dict[str, Any]) -> None:
        response = event["response"]
        data = response["payloadData"]
        self.frames.append((event["timestamp"], base64.b64decode(data) if response["opcode"] == 2 else data.encode()))
