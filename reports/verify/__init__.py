"""A second way to every printed number, by arithmetic of its own."""

from reports.verify.difference import Difference
from reports.verify.run import verify

__all__ = ["Difference", "verify"]
