"""Turns from plan to record."""
