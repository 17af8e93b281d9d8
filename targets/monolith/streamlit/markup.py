"""Text of users and models, made safe for the places that would read it as Markdown."""

import re

# where the address of a link begins: `](` and `]:` before one with a scheme, and `<scheme:…>`; addresses that may stay
_LINK = re.compile(
    r"""
    (?<!\\)(?P<escaped>(?:\\\\)*)                            # an odd backslash before it: no link
    (?P<mark>\](?:\(|:)(?=\s*<?[^\s)]*[:&])|<(?=[a-z][a-z0-9+.-]{1,31}:))
    (?!\s*<?(?:https?://|mailto:|[\#/]))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!$:|~^=&])")


def literal(text: str) -> str:
    """Return Markdown that shows the text as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def without_odd_links(text: str) -> str:
    """Return Markdown whose links to anything but the web, mail and this site are plain text."""
    return _LINK.sub(r"\g<escaped>\\\g<mark>", text)
