"""This machine: its CPUs, control groups, limits and processes."""
