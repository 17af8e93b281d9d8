"""How often: messages per user and minute, failed sign-ins per name and minute.

Counted by hand rather than by Flask-Limiter, because the count of a message shares a round trip with the conversation.
"""

import hashlib
import time

from flask import current_app

from chat.extensions import cache
from chat.problems import refuse

WINDOW_S = 60


def message_counter(user_id: int) -> str:
    """Return the name of a user's counter for this minute."""
    return f"rate:{user_id}:{int(time.time()) // WINDOW_S}"


def check_messages(count: int) -> None:
    """Refuse a message beyond the limit until the minute is over."""
    limit = current_app.config["RATE_LIMIT_PER_MINUTE"]
    if count > limit:
        wait_s = _left_s()
        refuse(429, f"{limit} messages a minute are allowed; try again in {wait_s} s.", Retry_After=str(wait_s))


def check_sign_ins(name: str) -> None:
    """Refuse to try another password for a name with too many wrong ones in this minute."""
    if cache.counted(_sign_in_counter(name)) >= current_app.config["FAILED_SIGN_INS_PER_MINUTE"]:
        wait_s = _left_s()
        refuse(429, f"Too many failed sign-ins; try again in {wait_s} s.", Retry_After=str(wait_s))


def count_failed_sign_in(name: str) -> None:
    """Count a wrong password."""
    cache.count(_sign_in_counter(name))


def _sign_in_counter(name: str) -> str:
    # Names come from strangers: hashed, they are short and of harmless characters.
    return f"failed:{hashlib.sha256(name.encode()).hexdigest()[:32]}:{int(time.time()) // WINDOW_S}"


def _left_s() -> int:
    return WINDOW_S - int(time.time()) % WINDOW_S
