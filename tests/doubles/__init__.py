"""Fakes, twins with flaws put in, and recorded machines."""
