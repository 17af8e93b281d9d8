"""From load to verdict against servers of known behaviour."""
