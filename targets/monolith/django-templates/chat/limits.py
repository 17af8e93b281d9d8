"""How often: messages per user and minute, failed sign-ins per name and minute."""

import hashlib
import time

from django.conf import settings
from django.db.models import F

from chat.models import Counter

WINDOW_S = 60


class LimitedError(Exception):
    """Too often; ``wait_s`` is left until the minute is over."""

    def __init__(self, text: str) -> None:
        self.wait_s = WINDOW_S - int(time.time()) % WINDOW_S
        super().__init__(f"{text} Try again in {self.wait_s} s.")


def count_message(user_id: int) -> int:
    """Count a message and return how many there were in this minute; belongs into the transaction that saves it."""
    return _count(f"message:{user_id}")


def message_refused() -> LimitedError:
    """Return the refusal of a message beyond the limit."""
    return LimitedError(f"{settings.RATE_LIMIT_PER_MINUTE} messages a minute are allowed.")


def check_sign_in(username: str) -> None:
    """Refuse a sign-in after too many failed ones for this name.

    Raises:
        LimitedError: until the minute is over.
    """
    failed = Counter.objects.filter(name=_failed(username), minute=_minute()).values_list("count", flat=True).first()
    if failed is not None and failed >= settings.FAILED_SIGN_INS_PER_MINUTE:
        raise LimitedError("Too many failed sign-ins for this name.")


def count_failed_sign_in(username: str) -> None:
    """Count a wrong password."""
    _count(_failed(username))


def _failed(username: str) -> str:
    # Names come from strangers: hashed, they are short and of harmless characters.
    return f"failed:{hashlib.sha256(username.encode()).hexdigest()}"


def _minute() -> int:
    return int(time.time()) // WINDOW_S


def _count(name: str) -> int:
    """Add one to this minute's count in one statement and return it."""
    minute = _minute()
    mine = Counter.objects.filter(name=name, minute=minute)
    if not mine.update(count=F("count") + 1):
        Counter.objects.update_or_create(name=name, defaults={"minute": minute, "count": 1})
        return 1
    return mine.values_list("count", flat=True).get()
