"""The generator beside a greenlet that keeps the event loop busy for 60 ms at a time."""

import time

import gevent

from loadtests.locustfile import *  # noqa: F403  # what Locust looks for


def _spin() -> None:
    while True:
        until_s = time.monotonic() + 0.06
        while time.monotonic() < until_s:
            pass
        gevent.sleep(0.005)


gevent.spawn(_spin)
