"""The checks of this machine, with a fix for each thing missing."""

from harness.doctor.machine import examine

__all__ = ["examine"]
