"""What front ends ask of a browser: bytes of the first load, and frames per second while a long answer comes.

A headless Chromium draws in software, on the CPUs that model and target use too: what is left on such a machine.
Every web part is measured behind the first API, Streamlit for comparison; figures of one run may be compared.
"""

import gzip
import tempfile
from collections import Counter
from pathlib import Path

from playwright.sync_api import Browser, Response

from harness import profiles, targets
from harness.probes.browser import chromium
from harness.probes.browser.person import Person
from harness.runtimes import serving
from harness.runtimes.local import LocalRuntime
from harness.runtimes.protocol import Runtime
from tests import ROOT

FIRST_LOAD_BYTES = {"angular": 250_000, "react": 150_000, "vue": 150_000}
TOKENS, ITL_S = 2_000, 0.01
LEAST_FRAMES_PER_S = 30
SEED = 42
#: compressed already, as nginx leaves them too
PACKED = ("image/png", "image/jpeg", "image/webp", "font/woff2", "font/woff")
WINDOW_MS = 1_000.0

FRAMES = """
(() => {
  window.frames_ms = [];
  const note = (at) => { window.frames_ms.push(at); requestAnimationFrame(note); };
  requestAnimationFrame(note);
})()
"""
#: when the awaited answer was first and last seen, on the clock of the frames
SPAN = """nonce => [window.awaited[nonce].first, window.awaited[nonce].last]
    .map(at => at - performance.timeOrigin)"""


def measure() -> list[dict[str, object]]:
    """Return the figures of every web part and of Streamlit."""
    catalogue = targets.discover(ROOT / "targets")
    api = catalogue.of_kind("api")[0].name
    names = [f"{api}+{web.name}" for web in catalogue.of_kind("web")] + ["streamlit"]
    runtime, figures = LocalRuntime(), []
    with chromium.opened() as browser:
        for name in names:
            figures += _measure(runtime, catalogue, catalogue.target(name), browser)
    runtime.close()
    return figures


def _measure(
    runtime: Runtime, catalogue: targets.Catalogue, target: targets.Target, browser: Browser
) -> list[dict[str, object]]:
    prepared = runtime.prepare(target, catalogue, ROOT, SEED, print)
    name = (target.web or target.server).name if target.web else target.name
    with (
        tempfile.TemporaryDirectory(prefix="chatbench-perf-") as folder,
        serving.serving(runtime, prepared, profiles.load("smoke").answer, Path(folder)) as served,
    ):
        url = served.stack.instances[0]
        loaded = _first_load(browser, url)
        counts = _frames(browser, url)
    size, goal = sum(loaded.values()), FIRST_LOAD_BYTES.get(name)
    least = min(counts)
    return [
        {
            "name": f"{target.name}, first load",
            "goal": goal / 1000 if goal else None,
            "value": size / 1000,
            "unit": "kB",
            "met": size <= goal if goal else None,
            "note": f"gzip -9 of {len(loaded)} files, from the form until a message can be typed, without headers",
        },
        {
            "name": f"{target.name}, frames while an answer comes",
            "goal": f"≥ {LEAST_FRAMES_PER_S} /s",
            "value": least,
            "unit": "/s",
            "met": least >= LEAST_FRAMES_PER_S,
            "note": f"worst of {len(counts)} seconds, median {sorted(counts)[len(counts) // 2]}; {TOKENS} tokens of "
            f"Markdown at {1 / ITL_S:.0f} /s; headless, drawn in software, two CPUs shared with model and target",
        },
    ]


def _first_load(browser: Browser, url: str) -> dict[str, int]:
    """Return the compressed size of each file that a first visit takes, from the form until a message can be typed."""
    page = browser.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # a built-in method cannot be a handler
    Person(page, url, SEED).sign_in("user0052")
    page.wait_for_load_state("networkidle")
    sizes = {one.url: _packed(one) for one in answers if "/api/" not in one.url and one.status == 200}
    page.close()
    return sizes


def _packed(answer: Response) -> int:
    body, kind = answer.body(), answer.headers.get("content-type", "").partition(";")[0]
    return len(body) if kind in PACKED else len(gzip.compress(body, 9))


def _frames(browser: Browser, url: str) -> list[int]:
    """Return how many frames were drawn in each whole second while a long answer came."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(FRAMES)
    person = Person(page, url, SEED, patience_ms=180_000)
    person.arrive_signed_in("user0051")
    person.new_conversation()
    message = person.message("A long one.", tokens=TOKENS, itl_s=ITL_S, ttft_s=0.2, payload="markdown")
    person.say(message)
    person.watch.shown(message.nonce)
    begun_ms, ended_ms = page.evaluate(SPAN, message.nonce)
    frames_ms: list[float] = page.evaluate("window.frames_ms")
    context.close()
    return per_second(frames_ms, begun_ms, ended_ms)


def per_second(frames_ms: list[float], begun_ms: float, ended_ms: float) -> list[int]:
    """Return the number of frames in each whole window of a second between two times; a second without one counts 0."""
    windows = int((ended_ms - begun_ms) // WINDOW_MS)
    counted = Counter(int((at - begun_ms) // WINDOW_MS) for at in frames_ms if at >= begun_ms)
    return [counted[number] for number in range(windows)]


if __name__ == "__main__":
    for figure in measure():
        print(figure)
