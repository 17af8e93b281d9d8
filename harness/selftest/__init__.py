"""The harness measures servers whose answer is known, and says how far off it is."""

from harness.selftest.course import run

__all__ = ["run"]
