"""What can be measured: a folder with a part.toml is a part, parts make a target."""

from harness.targets.target import (
    NAME,
    PROTOCOLS,
    Catalogue,
    Kind,
    Local,
    Part,
    Suite,
    Target,
    discover,
    nearest,
    read_part,
    reject_unknown,
    varied,
)

__all__ = [
    "NAME",
    "PROTOCOLS",
    "Catalogue",
    "Kind",
    "Local",
    "Part",
    "Suite",
    "Target",
    "discover",
    "nearest",
    "read_part",
    "reject_unknown",
    "varied",
]
