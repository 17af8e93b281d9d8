"""The protocol-level user records what a browser would: tokens arrive at both at the same time."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from harness import results
from harness.probes.browser.person import Person
from harness.records import Distribution, Emission, LoadPlan, Turn, to_json
from harness.runtimes.local import generator, stack
from tests.e2e.conftest import ANSWER, SEED, Running, with_pages

pytestmark = pytest.mark.browser

GROSS_S = 0.5  # what a busy machine does not explain; how near the two come is printed, not asserted
TURNS = 4


@contextmanager
def _protocol_level_user(target: Running, folder: Path) -> Iterator[Callable[[], None]]:
    """Have one protocol-level user begin to chat, until the block is left; its turns are in ``folder`` afterwards."""
    protocol = target.prepared.target.protocol
    plan = LoadPlan(
        scenario="chat",
        protocol=protocol,
        instances=(target.base_url,),
        users=1,
        seed=SEED,
        turns_per_conversation=4,
        message_chars=60,
        think_s=Distribution(median=0.4),
        answer=ANSWER,
        ramp_up_s=0.1,
        warm_up_s=0.1,
        measure_min_s=60.0,
        measure_max_s=60.0,
        measure_turns=1000,
        drain_s=2.0,
        output=str(folder),
        stop_file=str(folder / "stop"),
        streamlit_site=str(stack.site_packages(target.prepared.python)) if protocol == "streamlit" else None,
    )
    path = folder / "plan.json"
    path.write_text(json.dumps(to_json(plan)), encoding="utf-8")
    with (folder / "generator.log").open("wb") as log:
        environment = {**os.environ, "CHATBENCH_PLAN": str(path)}
        process = subprocess.Popen(
            generator.command(), env=environment, cwd=generator.REPOSITORY, stdout=log, stderr=log
        )
        try:
            yield lambda: _wait_for(lambda: "true" in _text(folder / "live.jsonl"), process)
            (folder / "stop").touch()
            process.wait(timeout=30)
        finally:
            process.kill()
            process.wait()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _wait_for(reached: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + 30
    while not reached():
        assert process.poll() is None, "the generator ended early"
        assert time.monotonic() < deadline_s, "the generator has no answer after 30 s"
        time.sleep(0.05)


def _emissions(log: Path, tags: set[str]) -> dict[str, Emission]:
    """Read the model's log once it has these answers: it writes them a moment after the last token."""
    deadline_s = time.monotonic() + 10
    while not tags <= set(found := {one.tag: one for one in results.read_emissions(log)}):
        assert time.monotonic() < deadline_s, f"the model's log lacks {len(tags - set(found))} answers"
        time.sleep(0.1)
    return found


def _emitted_s(emission: Emission) -> tuple[float, float]:
    return emission.request_s + emission.emit_s[0], emission.request_s + emission.emit_s[-1]


def _recorded(turns: list[Turn], emissions: dict[str, Emission]) -> tuple[list[float], list[float]]:
    first, last = [], []
    for turn in turns:
        if turn.first_s is not None and turn.last_s is not None:
            begun_s, ended_s = _emitted_s(emissions[turn.tag])
            first.append(turn.first_s - begun_s)
            last.append(turn.last_s - ended_s)
    return first, last


@pytest.mark.alone
@pytest.mark.parametrize(
    ("target", "browsers"), [*((name, 1) for name in with_pages()), ("streamlit", 2)], indirect=["target"]
)
def test_browser_and_protocol_level_user_see_tokens_at_the_same_time(
    target: Running,
    browsers: int,
    open_browser: Callable[[int], Browser],
    tmp_path: Path,
    note_delay: Callable[[str], None],
) -> None:
    contexts = [open_browser(number).new_context() for number in range(browsers)]
    people = [Person(one.new_page(), target.base_url, SEED) for one in contexts]
    seen = []
    with _protocol_level_user(target, tmp_path) as has_begun:
        for number, person in enumerate(people):
            person.arrive_signed_in(f"user{100 + number:04d}")
            person.new_conversation()
        has_begun()
        for _ in range(TURNS):
            messages = [person.message() for person in people]
            for person, message in zip(people, messages, strict=True):
                person.say(message)
            for person, message in zip(people, messages, strict=True):
                shown, _ = person.watch.shown(message.nonce)
                seen.append((message.tag, person.watch.framed(message.nonce), shown))
    for context in contexts:
        context.close()
    turns = [turn for turn in results.read_lines(Turn, tmp_path / "turns.jsonl") if turn.outcome == "ok"]
    emissions = _emissions(target.model_log, {turn.tag for turn in turns} | {tag for tag, _, _ in seen})
    first, last = _recorded(turns, emissions)
    assert len(first) >= TURNS - 2, f"only {len(first)} of the protocol-level user's turns were answered"
    emitted = [_emitted_s(emissions[tag]) for tag, _, _ in seen]
    framed_first = [frame.first_s - begun for (_, frame, _), (begun, _) in zip(seen, emitted, strict=True)]
    framed_last = [frame.last_s - ended for (_, frame, _), (_, ended) in zip(seen, emitted, strict=True)]
    shown_first = [shown.first_s - begun for (_, _, shown), (begun, _) in zip(seen, emitted, strict=True)]
    shown_last = [shown.last_s - ended for (_, _, shown), (_, ended) in zip(seen, emitted, strict=True)]
    rows = {"first token": (first, framed_first, shown_first), "last token": (last, framed_last, shown_last)}
    for name, columns in rows.items():
        user_s, frame_s, page_s = (statistics.median(column) for column in columns)
        note_delay(
            f"{target.name:15} {browsers} browser(s)  {name:12} protocol-level user {user_s * 1000:6.1f}  "
            f"browser's network event {frame_s * 1000:6.1f}  page {page_s * 1000:6.1f}"
        )
    for name, (user, frame, _) in rows.items():
        difference_s = statistics.median(frame) - statistics.median(user)
        assert abs(difference_s) < GROSS_S, f"{name}: the browser is {difference_s * 1000:.0f} ms off"
        assert min(frame) > -0.002, f"{name}: a frame arrived before it was emitted: the clocks differ"


def test_browser_event_times_are_on_the_monotonic_clock(target: Running, browser: Browser) -> None:
    page = browser.new_page()
    person = Person(page, target.base_url, SEED)
    before_s = time.monotonic()
    page.goto(target.base_url)
    after_s = time.monotonic()
    times = [at_s for at_s, _ in person.watch.request_times]
    assert times
    assert before_s - 0.001 <= times[0] <= after_s
    page.close()
