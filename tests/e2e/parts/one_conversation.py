"""One conversation of a virtual user: ``python -m tests.e2e.parts.one_conversation``, a task as JSON on standard input.

A process of its own, because a process can hold the messages of one Streamlit version. Prints the turns' outcomes.
"""

import json
import sys
import time

from loadtests.page import Page, Visitor
from loadtests.reading import TurnError
from loadtests.recording.pending_turn import turn_of
from loadtests.recording.recorder import note_of
from loadtests.recording.tracker import new_turn
from loadtests.users.choose import page_class

SEED = 42


def outcome(page: Page, conversation: int, number: int, mode: str) -> list[str | None]:
    """Hold a turn as a trial would, and return its outcome and what went wrong."""
    pending = new_turn(SEED, 0, conversation, number, 0.0, page)
    pending.phase = "measure"
    page.prepare()
    pending.trace = trace = page.new_trace(time.monotonic())
    kind = error = None
    try:
        page.ask(f"What is known of this? mode={mode} tag-{pending.tag}", pending.nonce, trace)
    except TurnError as problem:
        kind, error = problem.kind, problem.message
    except OSError as problem:
        kind, error = "connection", str(problem)
    if kind == "connection":
        page.close()
    turn = turn_of(note_of(pending, trace, "failed" if kind else "ok", kind, error), trace.raw())
    return [turn.outcome, turn.error]


def main() -> None:
    """Ask every message of the task in one conversation."""
    task = json.load(sys.stdin)
    page = page_class(task["protocol"], task["user_class"])(Visitor(number=0, **task["visitor"]))
    found = [outcome(page, time.time_ns(), number, mode) for number, mode in enumerate(task["modes"])]
    page.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
