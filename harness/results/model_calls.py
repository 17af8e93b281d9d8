"""The model's calls of a turn: which one brought the answer, and how long the turn waited for any of them."""

from collections.abc import Iterable, Sequence

from harness.records import Emission, Turn

Calls = dict[str, list[Emission]]  # by tag, in the order of their requests


def by_tag(emissions: Iterable[Emission]) -> Calls:
    """Group what the model logged by the messages' tags."""
    found: Calls = {}
    for one in sorted(emissions, key=lambda one: one.request_s):
        found.setdefault(one.tag, []).append(one)
    return found


def answering(turn: Turn, calls: Sequence[Emission]) -> Emission | None:
    """Return the call whose answer reached the user; None without any call.

    Answers to one tag begin with the same nonce and differ in the word behind it. Where that word tells nothing, it is
    the last call whose first token was there before the user's first content.
    """
    alike = [one for one in calls if one.word and one.word == turn.word] or list(calls)
    first_s = turn.first_s
    early = [one for one in alike if one.emit_s and first_s is not None and one.request_s + one.emit_s[0] <= first_s]
    found = early or alike
    return found[-1] if found else None


def wait_s(turn: Turn, calls: Sequence[Emission], answer: Emission | None) -> float | None:
    """Return how long, up to its first content, the model had a call of this turn, overlapping ones once (seconds).

    The answering call counts until its first token, every other call in whole. None where one of the two is unknown.
    """
    if answer is None or not answer.emit_s or turn.first_s is None:
        return None
    spans = [(answer.request_s, answer.request_s + answer.emit_s[0])]
    spans += [(one.request_s, min(one.request_s + one.over_s, turn.first_s)) for one in calls if one is not answer]
    waited_s, until_s = 0.0, -1.0
    for begin_s, end_s in sorted(spans):
        waited_s += max(0.0, end_s - max(begin_s, until_s))
        until_s = max(until_s, end_s)
    return waited_s
