"""What can be tried of Streamlit's WebSocket without Streamlit: whom a server lets open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from harness.probes.security.streamlit import surface
from harness.probes.security.streamlit.scene import Stage
from tests.serving import serving


class Door(BaseHTTPRequestHandler):
    """Lets in the origins that it is told to."""

    let_in = ""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        origin = self.headers.get("Origin", "")
        own = origin == f"http://{self.headers['Host']}"
        opened = {"own": own, "nobody": False, "everybody": True, "null": own or origin == "null"}[self.let_in]
        self.send_response(101 if opened else 403)
        self.end_headers()


@contextmanager
def _served(let_in: str) -> Iterator[str]:
    with serving(type("Let", (Door,), {"let_in": let_in})) as base_url:
        yield base_url


@pytest.mark.parametrize(
    ("let_in", "told"),
    [
        ("own", []),
        ("nobody", ["the page's own origin: 403"]),
        ("null", ["origin null: 101"]),
        (
            "everybody",
            [
                f"origin {one}"
                for one in (
                    "https://attacker.example: 101",
                    "null: 101",
                    "http://127.0.0.1.attacker.example:",
                    "http://attacker.example:",
                    "http://localhost:",
                    "http://127.0.0.1:",
                )
            ],
        ),
    ],
)
def test_websocket_is_open_to_the_pages_own_origin_alone(let_in: str, told: list[str]) -> None:
    messages: Any = None  # none is sent
    with _served(let_in) as base_url:
        seen = surface.websocket(Stage(base_url, seed=42, messages=messages))
    broken = [one.line.removeprefix("FAILED ") for one in seen.tries if not one.passed]
    assert len(broken) == len(told), broken
    assert [said for said in told if not any(line.startswith(said) for line in broken)] == [], broken
