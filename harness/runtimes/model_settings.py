"""The settings by which a target finds its model: the contract's, and those that OpenAI's own clients read."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

MODEL = "stand-in"
#: a key for clients that do not start without one; some pages insist on its first letters
API_KEY = "sk-stand-in"  # not a secret: the stand-in model takes any key, and none

_NAMED = re.compile(r"\bimport\s+streamlit\s+as\s+(\w+)")
_IMPORTED = re.compile(r"\bfrom\s+streamlit\s+import\s*(?:\([^)]*|[^\n(]*)\bsecrets\b")
_INSTALLED = {"site-packages", "node_modules"}


def model_settings(base_url: str) -> dict[str, str]:
    """Return the environment variables; ``base_url`` ends in ``/v1``."""
    return {
        "LLM_BASE_URL": base_url,
        "LLM_API_KEY": API_KEY,
        "LLM_MODEL": MODEL,
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_BASE": base_url,  # its name in older clients
        "OPENAI_API_KEY": API_KEY,
        "OPENAI_MODEL": MODEL,
    }


def reads_secrets(folder: Path) -> bool:
    """Tell if a script in a part's folder uses ``st.secrets``.

    Streamlit watches a file of secrets by looking at it again and again: one that nobody reads would cost CPU time.
    """
    scripts = (path for path in folder.rglob("*.py") if path.is_file() and not _INSTALLED & {*path.parts})
    return any(_uses_secrets(path.read_text(encoding="utf-8", errors="replace")) for path in scripts)


def _uses_secrets(script: str) -> bool:
    names = "|".join({"st", "streamlit", *_NAMED.findall(script)})
    return bool(_IMPORTED.search(script) or re.search(rf"\b(?:{names})\s*\.\s*secrets\b", script))


def write_secrets(home: Path, settings: Mapping[str, str]) -> None:
    """Write the same into a home folder as the secrets of Streamlit scripts (``st.secrets``).

    Secrets in the script's own folder win over these.
    """
    nested = {"api_key": settings["OPENAI_API_KEY"], "base_url": settings["OPENAI_BASE_URL"], "model": MODEL}
    names = model_settings("")
    lines = [f"{name} = {json.dumps(settings[name])}" for name in names]  # a JSON text is a TOML text
    lines += ["", "[openai]", *(f"{name} = {json.dumps(value)}" for name, value in nested.items())]
    folder = home / ".streamlit"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secrets.toml").write_text("\n".join([*lines, ""]), encoding="utf-8")
