"""Passwords: PBKDF2-SHA256 in Django's notation, ``pbkdf2_sha256$<iterations>$<salt>$<base64>``."""

import asyncio
import base64
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor

ALGORITHM = "pbkdf2_sha256"
ITERATIONS = 1_000_000
# A sign-in hashes for half a second, without the interpreter's lock: two at a time leave the rest their share.
_threads = ThreadPoolExecutor(2, "passwords")


def hashed(password: str, salt: str | None = None) -> str:
    """Return what is stored of a password."""
    salt = salt or secrets.token_urlsafe(16)
    key = base64.b64encode(_key(password, salt, ITERATIONS)).decode()
    return f"{ALGORITHM}${ITERATIONS}${salt}${key}"


# Compared with where there is no such name, so that the answer takes the same time.
_NOBODY = f"{ALGORITHM}${ITERATIONS}${secrets.token_urlsafe(16)}${base64.b64encode(bytes(32)).decode()}"


async def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long where nothing is stored."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _matches, password, stored or _NOBODY)


def _matches(password: str, stored: str) -> bool:
    _, iterations, salt, key = stored.split("$")
    return secrets.compare_digest(_key(password, salt, int(iterations)), base64.b64decode(key))


def _key(password: str, salt: str, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
