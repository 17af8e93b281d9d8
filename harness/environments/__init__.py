"""The needs of a part that are made once: interpreters, packages, builds."""

from harness.environments.files import file_digest, tree_digest
from harness.environments.front_ends import FrontEnds, locked_npm_version, node_suits
from harness.environments.parts import (
    POSTGRES_MACHINES,
    POSTGRES_PROGRAMS,
    Environments,
    alone,
    installed_version,
    locked_version,
    plain_environment,
    redis_version,
)
from harness.environments.requirements import read_requirements
from harness.environments.steps import making, output, settle, telling_lines

__all__ = [
    "POSTGRES_MACHINES",
    "POSTGRES_PROGRAMS",
    "Environments",
    "FrontEnds",
    "alone",
    "file_digest",
    "installed_version",
    "locked_npm_version",
    "locked_version",
    "making",
    "node_suits",
    "output",
    "plain_environment",
    "read_requirements",
    "redis_version",
    "settle",
    "telling_lines",
    "tree_digest",
]
