"""The secret of this checkout: signs sessions of targets, never leaves .chatbench."""

import secrets
from pathlib import Path


def secret_of(root: Path) -> str:
    """Return the secret, 64 hex digits; the first call makes it."""
    path = root / ".chatbench" / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    return path.read_text(encoding="ascii")
