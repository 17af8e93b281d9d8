"""Settings from environment variables; a missing or malformed one stops the start with its name."""

import os

from django.core.exceptions import ImproperlyConfigured


def required(name: str, example: str) -> str:
    """Return a variable that has no default.

    Raises:
        ImproperlyConfigured: it is not set.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; set it, for example {name}={example}")
    return value


def whole_number(name: str, default: int) -> int:
    """Return a positive whole number.

    Raises:
        ImproperlyConfigured: it is something else.
    """
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ImproperlyConfigured(f"{name} is {text!r}; set a whole number of at least 1, for example {default}")
    return int(text)
