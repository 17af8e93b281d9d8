"""Password hashes: PBKDF2-SHA256 as Django writes it, ``pbkdf2_sha256$<iterations>$<salt>$<base64>``."""

import base64
import hashlib
import hmac
import secrets

from gevent.threadpool import ThreadPool

ALGORITHM = "pbkdf2_sha256"
ITERATIONS = 1_000_000

# A hash takes a third of a second of C code. In the event loop all streams would stand still for as long; in a thread
# they do not, because hashlib gives up the interpreter's lock. Two: more would take the processors from the streams.
_threads = ThreadPool(2)


def hashed(password: str, salt: str | None = None) -> str:
    """Return the hash of a password; with a salt of its own unless one is given."""
    salt = salt or secrets.token_hex(11)
    return f"{ALGORITHM}${ITERATIONS}${salt}${_derive(password, salt, ITERATIONS)}"


def matches(password: str, stored: str | None) -> bool:
    """Whether this is the password; takes as long where there is no hash, so that nobody learns which names exist."""
    if stored is None:
        _derive(password, "nobody", ITERATIONS)
        return False
    algorithm, iterations, salt, key = stored.split("$")
    return algorithm == ALGORITHM and hmac.compare_digest(_derive(password, salt, int(iterations)), key)


def _derive(password: str, salt: str, iterations: int) -> str:
    key: bytes = _threads.apply(hashlib.pbkdf2_hmac, ("sha256", password.encode(), salt.encode(), iterations))
    return base64.b64encode(key).decode()
