"""What can be tried of the Streamlit probes without Streamlit: whom a server lets in, and what is no observation."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from harness.probes.probe import NotMeasuredError
from harness.probes.security.streamlit import roles, surface
from harness.probes.security.streamlit.roles import REFUSED, objects
from harness.probes.security.streamlit.scene import GONE, Stage
from tests.serving import serving


class Door(BaseHTTPRequestHandler):
    """Lets in the origins that it is told to."""

    let_in = ""

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        origin = self.headers.get("Origin", "")
        own = origin == f"http://{self.headers['Host']}"
        opened = {"own": own, "nobody": False, "everybody": True, "null": own or origin == "null"}.get(
            self.let_in, own or origin.startswith(("http://localhost:", "http://127.0.0.1:"))
        )
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


@pytest.mark.parametrize(
    ("let_in", "brief"),
    [
        ("own", ""),
        ("ports", "open to other ports of localhost, refused for other hosts"),
        ("null", "open to other hosts"),
        ("everybody", "open to other hosts"),
    ],
)
def test_the_table_says_whom_a_websocket_is_open_to(let_in: str, brief: str) -> None:
    messages: Any = None  # none is sent
    with _served(let_in) as base_url:
        assert surface.websocket(Stage(base_url, seed=42, messages=messages)).brief == brief


def test_a_conversation_that_its_owner_does_not_see_protects_nothing() -> None:
    kept = SimpleNamespace(state=lambda: GONE)
    stage = cast(Stage, SimpleNamespace(keep=lambda: kept))
    with pytest.raises(NotMeasuredError, match="does not list the conversation"):
        objects(stage)


def test_a_file_that_its_owner_does_not_get_is_not_held_against_others(monkeypatch: pytest.MonkeyPatch) -> None:
    button = SimpleNamespace(element=SimpleNamespace(url=""))
    page = MagicMock()
    page.__enter__.return_value.find.return_value = button
    kept = SimpleNamespace(state=lambda: ("title",), query="conversation=1")
    stage = cast(Stage, SimpleNamespace(keep=lambda: kept, open=lambda *_, **__: page))
    monkeypatch.setattr(roles, "_tried", lambda *_: REFUSED)
    monkeypatch.setattr(roles, "_exported", lambda *_: "")
    with pytest.raises(NotMeasuredError, match="no address for the download"):
        objects(stage)
