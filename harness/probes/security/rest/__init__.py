"""The Security row of a target that speaks the REST contract."""
