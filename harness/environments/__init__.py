"""The needs of a part that are made once: interpreters, packages, builds."""

from harness.environments.parts import (
    POSTGRES_MACHINES,
    POSTGRES_PROGRAMS,
    Environments,
    alone,
    locked_npm_version,
    locked_version,
    node_suits,
    output,
    plain_environment,
    redis_version,
    settle,
    telling_lines,
)

__all__ = [
    "POSTGRES_MACHINES",
    "POSTGRES_PROGRAMS",
    "Environments",
    "alone",
    "locked_npm_version",
    "locked_version",
    "node_suits",
    "output",
    "plain_environment",
    "redis_version",
    "settle",
    "telling_lines",
]
