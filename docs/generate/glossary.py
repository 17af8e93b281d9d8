"""The glossary, from docs/glossary.toml: one word per idea."""

import tomllib
from pathlib import Path

from docs.generate.markdown import table

TERMS = Path(__file__).resolve().parents[1] / "glossary.toml"


def page() -> str:
    """Return the terms with their meanings and the words that they replace."""
    terms = tomllib.loads(TERMS.read_text(encoding="utf-8"))["term"] if TERMS.exists() else []
    rows = [(f"**{term['say']}**", term["means"], ", ".join(term.get("instead_of", ()))) for term in terms]
    return "# Glossary\n\nOne word per idea, in code, command line, report and documentation.\n\n" + table(
        ("Say", "Meaning", "Not"), rows
    )
