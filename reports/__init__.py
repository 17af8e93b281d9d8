"""Reads results folders and turns them into tables, plots and pages; starts nothing."""

from reports.frames import Frames, load

__all__ = ["Frames", "load"]
