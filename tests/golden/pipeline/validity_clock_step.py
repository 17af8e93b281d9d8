"""The generator on a machine whose wall clock is set back and forth by an hour while it measures."""

import itertools
import time

from loadtests.locustfile import *  # noqa: F403  # what Locust looks for

_right, _readings = time.time, itertools.count()
time.time = lambda: _right() + 3600.0 * (next(_readings) % 3 - 1)
