"""A virtual user sends what the page sends: recorded from Chromium and from the user's class, on one started target."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from harness.probes.browser.person import Person
from harness.probes.world import Message
from harness.records.recipe import session_token
from harness.runtimes.local import generator, stack
from tests.e2e.conftest import SEED, Running
from tests.e2e.pages.recorder import Recorder

pytestmark = pytest.mark.browser

TURNS = 3
LINGER_MS = 1000  # what a page asks after an answer, it asks at once


def messages() -> list[Message]:
    return [Message(SEED, f"Question {turn}.", tokens=4, ttft_s=0.2, itl_s=0.02) for turn in range(TURNS)]


def requests_of_the_page(target: Running, browser: Browser, username: str, *, by_form: bool) -> Counter[tuple[str, str]]:
    """Return what Chromium sends for a person who arrives and holds a new conversation of three turns."""
    context = browser.new_context()
    with Recorder(target.base_url) as recorder:
        person = Person(context.new_page(), recorder.base_url, SEED)
        person.sign_in(username) if by_form else person.arrive_signed_in(username)
        person.new_conversation()
        for message in messages():
            person.say(message)
            person.answer(message)
        expect(person.page.get_by_role("button", name="Stop")).to_have_count(0)
        person.page.wait_for_timeout(LINGER_MS)
        found = recorder.requests.copy()
        context.close()
    return found


def requests_of_the_virtual_user(target: Running, username: str, *, by_form: bool) -> Counter[tuple[str, str]]:
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
        subprocess.run(
            [sys.executable, "-m", "tests.e2e.pages.virtual_user"],
            input=json.dumps(task),
            text=True,
            check=True,
            cwd=generator.REPOSITORY,
            timeout=60,
        )
        return recorder.requests.copy()


@pytest.mark.editions
@pytest.mark.features("streaming")
@pytest.mark.parametrize("by_form", [True, False], ids=["with password", "signed in beforehand"])
def test_a_virtual_user_sends_what_the_page_sends(target: Running, browser: Browser, by_form: bool) -> None:
    page = requests_of_the_page(target, browser, "user0301", by_form=by_form)
    user = requests_of_the_virtual_user(target, "user0302", by_form=by_form)
    for name, one in (("page", page), ("user", user)):
        print(name)
        for k, v in sorted(one.items()):
            print("   ", v, *k)
    assert 0
