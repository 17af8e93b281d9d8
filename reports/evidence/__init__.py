"""A run as it was read: trials by target, conditions, frames, the self-test."""
