"""This machine's Chromium: where it is, and one started without a window."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from harness.errors import BenchError

NAMES = ("chromium", "chromium-browser", "google-chrome")
DRIVER_HINT = "install the library that it names; on Debian often: apt install libatomic1"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",  # all that it is to see is on this machine
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


def driver_flaw() -> str:
    """Return why the browser's driver, a program of Node's, does not start; empty where it does."""
    command = [sys.executable, "-m", "playwright", "--version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"it ended with {done.returncode}"


def start(playwright: Playwright) -> Browser:
    """Start a headless Chromium.

    Raises:
        BenchError: this machine has none, or it does not start.
    """
    executable = _required()
    try:
        return playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
    except Error as error:
        raise BenchError(
            f"Chromium does not start ({_telling(error)})", f"start it by hand to see why: {executable} --headless"
        ) from error


@contextmanager
def opened() -> Iterator[Browser]:
    """Start a headless Chromium for the block.

    Raises:
        BenchError: this machine has none, or it or its driver does not start.
    """
    _required()
    with _driver() as playwright:
        browser = start(playwright)
        try:
            yield browser
        finally:
            with suppress(Error):  # it crashed: what was seen before still counts
                browser.close()


def _required() -> str:
    found = find()
    if found is None:
        raise BenchError("this machine has no Chromium", "install one; on Debian: apt install chromium")
    return found


@contextmanager
def _driver() -> Iterator[Playwright]:
    """Start Playwright's driver."""
    manager = sync_playwright()
    try:
        playwright = manager.__enter__()
    except Exception as error:  # Playwright names no error of its own for a driver that ends at once
        raise BenchError(
            f"the browser's driver does not start ({driver_flaw() or _telling(error)})", DRIVER_HINT
        ) from error
    try:
        yield playwright
    finally:
        with suppress(Exception):  # a driver that is gone has nothing left to end
            manager.__exit__(None, None, None)


def _telling(error: Exception) -> str:
    """Return the first line of an error that says more than which call it was."""
    lines = [line.strip(" -=") for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith("Browser logs")]
    told = next((line for line in said if "error" in line.lower() and not line.startswith("BrowserType")), None)
    return (told or next(iter(said), type(error).__name__))[:200]
