"""The secret of this checkout: signs sessions of targets, never leaves .chatbench."""

import hashlib
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


def database_password(secret: str) -> str:
    """Return the password of the chatbots' role in PostgreSQL: letters and digits, as it is part of an address."""
    return hashlib.sha256(f"{secret}:database".encode()).hexdigest()[:32]
