"""How often: messages per user and minute, failed sign-ins per name and minute."""

import hashlib
import time
from typing import Any

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from chat import cache

WINDOW_S = 60


def message_counter(user_id: int) -> str:
    """Return the name of the user's counter of messages."""
    return f"rate:{user_id}"


def this_minute() -> int:
    """Return the number of this minute, by which counts begin anew."""
    return int(time.time()) // WINDOW_S


def check_messages(count: int) -> None:
    """Refuse a message beyond the limit.

    Raises:
        Throttled: until the minute is over.
    """
    if count > settings.RATE_LIMIT_PER_MINUTE:
        wait_s = _left_s()
        error = Throttled(wait_s)
        error.detail = f"{settings.RATE_LIMIT_PER_MINUTE} messages a minute are allowed; try again in {wait_s} s."
        raise error


class FailedSignIns(BaseThrottle):
    """Ten wrong passwords for one name in a minute: no more tries until the minute is over."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the name may still try; a body that is no sign-in is refused elsewhere."""
        name = request.data.get("username") if isinstance(request.data, dict) else None
        if not isinstance(name, str):
            return True
        return cache.counted(self._counter(name), this_minute()) < settings.FAILED_SIGN_INS_PER_MINUTE

    def wait(self) -> float:
        """Return the seconds left of this minute."""
        return _left_s()

    @classmethod
    def count(cls, name: str) -> None:
        """Count a failed try."""
        cache.count(cls._counter(name), this_minute())

    @staticmethod
    def _counter(name: str) -> str:
        # Names come from strangers: hashed, they are short and of harmless characters.
        return f"failed:{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _left_s() -> int:
    return WINDOW_S - int(time.time()) % WINDOW_S
