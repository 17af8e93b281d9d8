"""Whole campaigns from the command line."""
