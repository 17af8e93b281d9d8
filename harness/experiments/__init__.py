"""Wishes tried: a copy of a build is patched, built, started and used in a browser."""

from harness.experiments.series import Trying, granted
from harness.experiments.wish import Wish, list_hash, wishes

__all__ = ["Trying", "Wish", "granted", "list_hash", "wishes"]
