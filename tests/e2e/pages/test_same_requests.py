"""A virtual user sends what the page sends: recorded from Chromium and from the user's class, on one started target.

Left out of the comparison are files: scripts, styles, pictures, and the page itself where it is a file. A browser keeps
them; a user of ``chat`` has its page open from the start, and the scenario ``visit`` fetches and counts them.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from harness.probes.browser.person import STOP, Person
from harness.probes.world import Message
from harness.records.recipe import session_token
from harness.runtimes.local import generator, stack
from loadtests.wire.websocket import BINARY, PING, client_frame
from tests.e2e.conftest import SEED, Running
from tests.e2e.pages.recorder import Connection, Recorder, Requests

TURNS = 3
THINK_MS = 500  # what a page does after an answer, it does at once; nobody writes the next message faster


def messages() -> list[Message]:
    return [Message(SEED, f"Question {turn}.", tokens=4, ttft_s=0.2, itl_s=0.02) for turn in range(TURNS)]


def sent_by_the_page(target: Running, browser: Browser, username: str, *, by_form: bool) -> Requests:
    """Return what Chromium sends for a person who arrives and holds a new conversation."""
    context = browser.new_context()
    with Recorder(target.base_url) as recorder:
        person = Person(context.new_page(), recorder.base_url, SEED)
        arrive: Callable[[str], None] = person.sign_in if by_form else person.arrive_signed_in
        arrive(username)
        person.new_conversation()
        for message in messages():
            person.say(message)
            person.answer(message)
            expect(person.page.get_by_role("button", name=STOP)).to_have_count(0)
            person.page.wait_for_timeout(THINK_MS)
        context.close()
    return recorder.requests


def sent_by_the_virtual_user(target: Running, username: str, *, by_form: bool) -> Requests:
    """Return what the load generator's class for this protocol sends for the same."""
    protocol = target.prepared.target.protocol
    with Recorder(target.base_url) as recorder:
        visitor = {
            "base_url": recorder.base_url,
            "username": username,
            "session": session_token(SEED, username),
            "streamlit_site": str(stack.site_packages(target.prepared.python)) if protocol == "streamlit" else None,
        }
        asked = [(message.content, message.nonce) for message in messages()]
        task = {"protocol": protocol, "visitor": visitor, "by_form": by_form, "messages": asked}
        command = [sys.executable, "-m", "tests.e2e.pages.virtual_user"]
        subprocess.run(command, input=json.dumps(task), text=True, check=True, cwd=generator.REPOSITORY, timeout=60)
    return recorder.requests


def without_files(requests: Requests, protocol: str) -> Requests:
    """Return the requests that a program of the target answers; the page itself is one only where it holds forms."""
    return Counter(
        {
            (method, target): count
            for (method, target), count in requests.items()
            if not PurePosixPath(urlsplit(target).path).suffix and (protocol == "forms" or target != "/")
        }
    )


@pytest.mark.browser
@pytest.mark.editions
@pytest.mark.parametrize("by_form", [True, False], ids=["with password", "signed in beforehand"])
def test_a_virtual_user_sends_what_the_page_sends(target: Running, browser: Browser, by_form: bool) -> None:
    protocol = target.prepared.target.protocol
    page = without_files(sent_by_the_page(target, browser, "user0301", by_form=by_form), protocol)
    user = without_files(sent_by_the_virtual_user(target, "user0302", by_form=by_form), protocol)
    assert sum(count for (_, what), count in page.items() if "/messages" in what or "chat message" in what) == TURNS
    assert {"page alone": page - user, "virtual user alone": user - page} == {
        "page alone": Counter(),
        "virtual user alone": Counter(),
    }


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_requests_and_messages_are_noted_however_their_bytes_come(size: int) -> None:
    requests = Requests()
    passing = Connection(requests).passing
    chat_message = bytes([0x0A, 4, 0x0A, 0, 0x7A, 0])  # a widget whose value is a chat message
    rerun = bytes([0x1A, 1, 0x70, 0x12, len(chat_message)]) + chat_message  # the page's hash, and that widget
    sent = (
        b"POST /c/6a3f0a86-0b4e-4d7a-9c1f-2f4f8f0a7c11/messages HTTP/1.1\r\nHost: x\r\ncontent-length: 6\r\n\r\nGET / "
        b"GET /socket HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\nHost: x\r\n\r\n"
    )
    frames = [client_frame(PING, b"?"), client_frame(BINARY, bytes([0x5A, len(rerun)]) + rerun)]
    sent += b"".join(frames)
    passed = b"".join(passing(sent[at : at + size]) for at in range(0, len(sent), size))
    assert passed == sent.replace(b"Sec-WebSocket-Extensions: permessage-deflate\r\n", b"")
    assert requests == {
        ("POST", "/c/{id}/messages"): 1,
        ("GET", "/socket"): 1,
        ("WebSocket", "rerun with page; widgets: chat message"): 1,
    }
