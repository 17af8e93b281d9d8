"""The generator with a clock that reads 20 ms late where answers arrive."""

import time
from types import SimpleNamespace

from loadtests.locustfile import *  # noqa: F403  # what Locust looks for
from loadtests.wire import receiving

receiving.time = SimpleNamespace(monotonic=lambda: time.monotonic() + 0.02)  # type: ignore[assignment]  # on purpose
