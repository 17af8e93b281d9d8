"""Reads results folders and turns them into tables, plots and pages; starts nothing."""
