"""The fingerprint of a machine: which facts two results must share."""

from collections.abc import Mapping
from typing import Any

VARIES = ("clock_mhz",)  # a moment's reading: recorded, never compared
LATER = ("cpu_family", "cpu_model_number", "cpu_stepping")  # older records lack them, and cache sizes
CACHE = "cache_"


def machine_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Return the facts, in alphabetical order, in which two fingerprints differ.

    A fact of the processor that one of them lacks is unknown, not different.
    """
    return [key for key in sorted({*a, *b}) if key not in VARIES and a.get(key) != b.get(key) and _known(key, a, b)]


def _known(key: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    later = key in LATER or key.startswith(CACHE)
    return not later or (key in a and key in b)
