"""What a part needs and is made once: interpreters, packages, builds."""

from harness.environments.parts import (
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
