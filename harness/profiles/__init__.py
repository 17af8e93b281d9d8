"""The profiles, and the strict reading of their files."""

from harness.profiles.profile_file import LENGTHS, load, names

__all__ = ["LENGTHS", "load", "names"]
