"""Wishes in a real browser."""
