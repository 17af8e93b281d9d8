"""What may import what, read from the contracts that the build proves."""

import tomllib
from pathlib import Path
from typing import Any

from docs.generate.markdown import table

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def _contracts(kind: str) -> list[dict[str, Any]]:
    contracts = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return [contract for contract in contracts if contract["type"] == kind]


def layers() -> str:
    """Return the layers of every package, the highest first."""
    text = ""
    for contract in _contracts("layers"):
        package = contract["containers"][0]
        rows = []
        for number, layer in enumerate(contract["layers"]):
            below = [name for lower in contract["layers"][number + 1 :] for name in lower.split(" | ")]
            names = ", ".join(f"`{name}`" for name in layer.split(" | "))
            rows.append((names, ", ".join(f"`{name}`" for name in below) or "–"))
        text += f"\n**`{package}`**\n\n" + table(("Folder", "May import"), rows)
    return text


def rules() -> str:
    """Return the further contracts: who may not import what."""
    rows = [
        (contract["name"], _names(contract["source_modules"]), _names(contract["forbidden_modules"]))
        for contract in _contracts("forbidden")
    ]
    return "\n" + table(("Rule", "These", "never import"), rows)


def _names(modules: list[str]) -> str:
    return ", ".join(f"`{module}`" for module in modules)
