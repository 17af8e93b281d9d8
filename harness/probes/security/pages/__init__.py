"""The probes of pages in a real browser with hostile input."""
