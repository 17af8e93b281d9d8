"""Which calls of the model belong together: several may be made for one message."""

import re
from dataclasses import dataclass, field

REMEMBERED = 65_536  # answers, some 20 MB; older ones are forgotten
_NONCE = re.compile(r"\b[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class Calls:
    """The answers given so far: by nonce the tag, and how many calls it had.

    A chatbot may let the model rephrase a question and ask again with that answer. The message's tag is lost then, the
    nonce that the answer began with is not.
    """

    _tags: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def quoted(self, message: str) -> str | None:
        """Return the tag of the last answer whose nonce a message holds; None where it quotes no answer."""
        known = (self._tags.get(nonce) for nonce in reversed(_NONCE.findall(message)))
        return next((tag for tag in known if tag is not None), None)

    def count(self, nonce: str, tag: str) -> int:
        """Take note of one more answer to a tag; return how many there were before."""
        before = self._counts.pop(nonce, 0)
        self._tags[nonce], self._counts[nonce] = tag, before + 1
        if len(self._counts) > REMEMBERED:
            oldest = next(iter(self._counts))
            del self._counts[oldest], self._tags[oldest]
        return before
