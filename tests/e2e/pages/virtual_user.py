"""One virtual user by itself: ``python -m tests.e2e.pages.virtual_user`` with a task as JSON on standard input.

A process of its own, because a process can hold the messages of one Streamlit version.
"""

import json
import sys
import time

from harness.records.recipe import PASSWORD
from loadtests.page import Page, Visitor
from loadtests.users.choose import page_class


def arrive(page: Page, *, by_form: bool) -> None:
    """Open the page as a visit does, with name and password, or as ``chat`` does, signed in beforehand."""
    if by_form:
        page.open_page()
        page.sign_in(PASSWORD)
        page.connected = True
    page.prepare()


def main() -> None:
    """Arrive, ask every message in one conversation, leave."""
    task = json.load(sys.stdin)
    page = page_class(task["protocol"], None)(Visitor(number=0, **task["visitor"]))
    arrive(page, by_form=task["by_form"])
    for text, nonce in task["messages"]:
        trace = page.new_trace(time.monotonic())
        page.ask(text, nonce, trace)
        if trace.done_s is None:
            raise RuntimeError(f"the answer {nonce} did not come to its end")
    page.close()


if __name__ == "__main__":
    main()
