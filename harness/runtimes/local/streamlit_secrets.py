"""Streamlit's ``st.secrets``: a chatbot that reads its settings there finds those of the trial."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from harness.targets import Part

_READS = re.compile(r"\b(?:st|streamlit)\.secrets\b|\bfrom streamlit import [^\n]*\bsecrets\b")


def wanted(part: Part) -> bool:
    """Tell if a part is a Streamlit chatbot whose sources read ``st.secrets``.

    The file is watched by the server once it is there: a chatbot that does not read it must not pay for that.
    """
    if part.protocol != "streamlit":
        return False
    scripts = (path for path in part.folder.rglob("*.py") if path.is_file() and "site-packages" not in path.parts)
    return any(_READS.search(path.read_text(encoding="utf-8", errors="replace")) for path in scripts)


def write(home: Path, settings: Mapping[str, str]) -> None:
    """Write the settings of a trial where Streamlit looks for the secrets of the account whose home this is."""
    file = home / ".streamlit" / "secrets.toml"
    file.parent.mkdir(exist_ok=True)
    lines = (f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in settings.items())  # TOML's own notation
    file.touch(mode=0o600)
    file.write_text("".join(lines), encoding="utf-8")
