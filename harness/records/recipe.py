"""The contract's recipe: values that targets, virtual users and probes compute alike (targets/CONTRACT.md)."""

import hashlib

PASSWORD = "chatbench-demo"  # noqa: S105  # of every seeded account, public by contract
END_MARKER = "[end]"  # the last token of an answer
NONCE_CHARS = 12
FIRST_TOKEN_CHARS = NONCE_CHARS + 1  # the nonce and a space
TOKEN_CHARS = 5  # every further token: four characters and a space


def sha256_hex(key: str) -> str:
    """Return the hexadecimal SHA-256 of a text."""
    return hashlib.sha256(key.encode()).hexdigest()


def session_token(seed: int, username: str) -> str:
    """Return the session cookie's value for a seeded account: 32 hex digits."""
    return sha256_hex(f"{seed}:session:{username}")[:32]


def nonce_of(seed: int, tag: str) -> str:
    """Return the first 12 hex digits of the model's answer to the message with this tag."""
    return sha256_hex(f"{seed}:{tag}")[:NONCE_CHARS]


def tokens_in(chars: int) -> int:
    """Return the number of tokens in an answer of this many characters.

    The last character of a token is a space, so a text stripped on the right counts the same.
    """
    if chars < NONCE_CHARS:
        return 0
    return 1 + max(0, -((FIRST_TOKEN_CHARS - chars) // TOKEN_CHARS))
