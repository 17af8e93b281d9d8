"""Benchmarks: ``python -m tests.perf`` prints goal, value, met or missed. Nothing here is an assertion."""
