"""Text of users, made safe for the places that would read it as Markdown."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!$:|~^=&])")


def literal(text: str) -> str:
    """Return Markdown that shows the text as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
