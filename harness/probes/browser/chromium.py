"""This machine's Chromium: where it is, and one started without a window."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Playwright, sync_playwright

from harness.errors import BenchError

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--no-first-run",
)


def find() -> str | None:
    """Return the Chromium of this machine, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def version() -> str | None:
    """Return the version of this machine's Chromium without starting it; None where there is none or it is silent."""
    executable = find()
    if executable is None:
        return None
    try:
        said = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else None


def start(playwright: Playwright) -> Browser:
    """Start a headless Chromium.

    Raises:
        BenchError: this machine has none.
    """
    executable = find()
    if executable is None:
        raise BenchError("this machine has no Chromium", "install one; on Debian: apt install chromium")
    return playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))


@contextmanager
def opened() -> Iterator[Browser]:
    """Start a headless Chromium for the block; BenchError where this machine has none."""
    with sync_playwright() as playwright:
        browser = start(playwright)
        try:
            yield browser
        finally:
            browser.close()
