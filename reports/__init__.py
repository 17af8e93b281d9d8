"""Reads results folders and turns them into tables, plots and pages; starts nothing."""

from reports.evidence.frames import Frames, load

__all__ = ["Frames", "load"]
