"""Putting well-known inputs into one place after the other, and telling whether one did something."""

import html
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.probes.claims import RefutedError
from harness.probes.client import Answer
from harness.probes.security.sql_inputs import DELAYS, INJECTIONS, SLOW_S, telltale
from harness.probes.security.tally import Tally

#: what reading an answer of another form than the contract's raises
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)
Judge = Callable[[str, Answer], str | None]  # the text and what came of it -> what is wrong, None for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One place that takes a text: how to put it there, and what is wrong with an answer."""

    name: str
    send: Callable[[str], Answer]
    wrong: Judge
    texts: tuple[str, ...] = (*INJECTIONS, *DELAYS)


def try_all(tally: Tally, places: Iterable[Input], secret: str) -> None:
    """Note the answer to each text at each place; an answer with the secret reveals data kept from the asker."""
    for place in places:
        for text in place.texts:
            _try(tally, place, text, secret)


def refused(*statuses: int) -> Judge:
    """Judge an answer by its status: anything else than these is wrong."""
    return lambda _, answer: None if answer.status in statuses else f"{answer.status} instead of a refusal"


def _try(tally: Tally, place: Input, text: str, secret: str) -> None:
    answer, took_s = _timed(place, text)
    if took_s > SLOW_S:  # once is a busy machine, twice beside a quick harmless word is the input
        again_s, harmless_s = _timed(place, text)[1], _timed(place, "harmless")[1]
        delayed = again_s > SLOW_S > 2 * harmless_s
    else:
        delayed = False
    body = answer.body.decode(errors="replace")
    let_out = telltale(_plain(body)) or ("the owner's words" if secret in body else None)
    wrong = (
        (f"waited {took_s:.1f} s" if delayed else None)
        or (f"{answer.status or 'connection lost'}" if answer.status == 0 or answer.status >= 500 else None)
        or (f"let out {let_out!r}" if let_out else None)
        or _misread(place, text, answer)
    )
    tally.note(f"{place.name} {text!r}", "nothing", wrong or str(answer.status), wrong is None)


def _misread(place: Input, text: str, answer: Answer) -> str | None:
    try:
        return place.wrong(text, answer)
    except (RefutedError, *UNREADABLE) as error:
        return str(error)


def _timed(place: Input, text: str) -> tuple[Answer, float]:
    begun_s = time.monotonic()
    return place.send(text), time.monotonic() - begun_s


def _plain(body: str) -> str:
    """Undo the escapes of JSON and HTML, so that what was given is recognised when it comes back."""
    return html.unescape(body.replace('\\"', '"').replace("\\\\", "\\"))
