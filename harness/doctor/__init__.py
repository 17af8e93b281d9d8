"""What this machine offers, and how to fix what is missing."""

from harness.doctor.machine import examine

__all__ = ["examine"]
