"""Where a target runs: locally or in containers."""
