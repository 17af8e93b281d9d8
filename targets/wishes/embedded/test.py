"""The chat in a frame of an allowed origin, and of another one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from harness.experiments.scene import PATIENCE_MS, Beside, Scene, claim
from harness.probes.world import Message
from harness.records.recipe import PASSWORD


class _Page(BaseHTTPRequestHandler):
    """A page that frames the address it is asked for."""

    def do_GET(self) -> None:
        """Answer every path."""
        address = parse_qs(urlsplit(self.path).query).get("frame", ["about:blank"])[0]
        frame = f'<iframe src="{address}" title="Chat" width="1100" height="700"></iframe>'
        body = f"<!doctype html><title>Portal</title><h1>Portal</h1>{frame}"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def beside() -> Iterator[Beside]:
    """Serve the portal and a stranger's page."""
    with _site() as portal, _site() as stranger:
        yield Beside(names={"portal": portal}, thing={"portal": portal, "stranger": stranger})


def accept(scene: Scene) -> None:
    """Sign in and ask inside the portal's frame; find the stranger's frame empty."""
    page = scene.page()
    page.goto(f"{scene.beside.thing['portal']}/?frame={scene.base_url}")
    frame = page.frame_locator("iframe")
    name = frame.get_by_role("textbox", name="Username")
    expect(name).to_be_visible(timeout=PATIENCE_MS)
    name.fill("user0055")
    frame.get_by_role("textbox", name="Password").fill(PASSWORD)
    frame.get_by_role("button", name="Sign in", exact=True).click()
    box = frame.get_by_role("textbox", name="Message", exact=True)
    expect(box).to_be_editable(timeout=PATIENCE_MS)
    message = Message(scene.seed, "From a frame?")
    box.fill(message.content)
    box.press("Enter")
    answer = frame.get_by_text(message.nonce).last
    expect(answer).to_contain_text("[end]", timeout=PATIENCE_MS)

    other = scene.page()
    other.goto(f"{scene.beside.thing['stranger']}/?frame={scene.base_url}")
    other.wait_for_timeout(3000)
    inside = other.frame_locator("iframe").get_by_role("textbox")
    claim(inside.count() == 0, "a page of another origin frames the chat as well")
