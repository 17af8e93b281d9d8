"""Targets: a folder with a part.toml is a part, parts make a target."""

from harness.targets.catalogue import Catalogue, discover
from harness.targets.part import NAME, PROTOCOLS, Kind, Local, Part, Suite, Variant, varied
from harness.targets.part_file import read_part
from harness.targets.strict import nearest, read_table
from harness.targets.target import Target

__all__ = [
    "NAME",
    "PROTOCOLS",
    "Catalogue",
    "Kind",
    "Local",
    "Part",
    "Suite",
    "Target",
    "Variant",
    "discover",
    "nearest",
    "read_part",
    "read_table",
    "varied",
]
