"""What this machine offers, and how to fix what is missing."""

from harness.doctor.machine import disk, examine

__all__ = ["disk", "examine"]
