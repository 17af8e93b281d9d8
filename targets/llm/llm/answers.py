"""Which answer a message gets: tag, overrides, draws and tokens, functions of seed, tag, message and earlier calls."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import payloads, structured
from .calls import Calls
from .errors import ApiError

END_MARKER = "[end]"
MIN_TOKENS, MAX_TOKENS = 2, 100_000
MAX_WAIT_S = 3600.0
FAULTS = ("429", "500", "stall", "disconnect")

_TAG = re.compile(r"\btag-([0-9a-f]{16})\b(?:\?([a-z_]+=[^\s&]+(?:&[a-z_]+=[^\s&]+)*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The model's pace: TTFT and token count are log-normal with this median and sigma, constant where sigma is 0.

    Where there are ``tokens_quantiles`` (at equal steps from 0 to 100 %, linear between them), those are the counts.
    """

    ttft_s: float = 0.3
    ttft_sigma: float = 0.0
    itl_s: float = 0.02
    tokens: int = 40
    tokens_sigma: float = 0.0
    tokens_quantiles: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a message or a request body asks for instead of the draws."""

    ttft_s: float | None = None
    itl_s: float | None = None
    tokens: int | None = None
    payload: str = "words"
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as intended; times in seconds, ``tag`` in 16 hex digits, ``word`` the second token of its text."""

    id: str
    tag: str
    word: str
    ttft_s: float
    itl_s: float
    tokens: list[str]
    fault: str | None

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def plan(
    seed: int,
    timing: Timing,
    message: str,
    calls: Calls,
    *,
    marks: Sequence[str] = (),
    chatbench: Mapping[str, object] | None = None,
    schema: Mapping[str, Any] | None = None,
    parameters: str = "",
) -> Answer:
    """Return the answer to a message, and take note of it in ``calls``.

    A tag in ``marks``, which came beside the prompt, counts more than the message's own. Without either, the tag of an
    earlier answer that the message quotes is taken, else a hash of the message.
    Further answers to one tag differ in their words alone, so that it shows which of them was passed on.
    ``chatbench`` is the request body's object of that name and wins over options at the tag. With a ``schema`` the
    answer is JSON that holds the text.

    Raises:
        ApiError: an unknown option or a value outside its range, named.
    """
    own, given = _last_tag(message), _marked(marks)
    found = given if given and not (own and own[1] == given[1]) else own
    tag = found[1] if found else tag_of(message, calls)
    options = _overrides(Overrides(), _query(found[2] if found else None), "the message's tag")
    options = _overrides(options, chatbench or {}, "the body's 'chatbench'")
    digest = hashlib.sha256(f"{seed}:{tag}".encode()).digest()
    ttft_s, count = _draws(timing, digest)
    body = message[: own.start()].rstrip() if own else message
    body = parameters + " " if options.payload == "parameters" else body
    nonce = digest[:6].hex()
    number = calls.count(nonce, tag)
    tokens = [nonce + " ", *_middle(options, count, body, int.from_bytes(digest[-4:], "big"), number), END_MARKER]
    return Answer(
        id=f"chatcmpl-{digest[6:16].hex()}",
        tag=tag,
        word=tokens[1].strip(),
        ttft_s=ttft_s if options.ttft_s is None else options.ttft_s,
        itl_s=timing.itl_s if options.itl_s is None else options.itl_s,
        tokens=tokens if schema is None else payloads.slices(structured.filled(schema, "".join(tokens))),
        fault=options.fault,
    )


def tag_of(message: str, calls: Calls, marks: Sequence[str] = ()) -> str:
    """Return a message's tag: the one beside it, its own, that of an answer it quotes, or its hash."""
    found = _marked(marks) or _last_tag(message)
    return found[1] if found else calls.quoted(message) or hashlib.sha256(message.encode()).hexdigest()[:16]


def _marked(marks: Sequence[str]) -> re.Match[str] | None:
    return next((found for mark in marks if (found := _last_tag(mark))), None)


def _last_tag(message: str) -> re.Match[str] | None:
    """Search from the end: a message may be long, its tag is near the end."""
    at = message.rfind("tag-")
    while at >= 0:
        if found := _TAG.match(message, at):
            return found
        at = message.rfind("tag-", 0, at)
    return None


def _query(text: str | None) -> dict[str, object]:
    pairs = (pair.partition("=") for pair in text.split("&")) if text else ()
    return {key: value for key, _, value in pairs}


def _draws(timing: Timing, digest: bytes) -> tuple[float, int]:
    """Two independent normal draws by Box & Muller (1958) from the digest's last 16 bytes."""
    first, second = ((int.from_bytes(digest[i : i + 8], "big") + 0.5) / 2**64 for i in (16, 24))
    radius, angle = math.sqrt(-2 * math.log(first)), 2 * math.pi * second
    ttft_s = timing.ttft_s * math.exp(timing.ttft_sigma * radius * math.cos(angle))
    normal = radius * math.sin(angle)
    if timing.tokens_quantiles:
        tokens = _between(timing.tokens_quantiles, (1 + math.erf(normal / math.sqrt(2))) / 2)
    else:
        tokens = timing.tokens * math.exp(timing.tokens_sigma * normal)
    return min(ttft_s, MAX_WAIT_S), min(max(round(tokens), MIN_TOKENS), MAX_TOKENS)


def _between(quantiles: tuple[int, ...], share: float) -> float:
    """Return the value that this share (0 to 1) of all values lies below."""
    place = share * (len(quantiles) - 1)
    below = min(int(place), len(quantiles) - 2)
    return quantiles[below] + (place - below) * (quantiles[below + 1] - quantiles[below])


def _middle(options: Overrides, drawn: int, message: str, draw: int, number: int) -> list[str]:
    """The tokens between nonce and end marker; a payload with a text of its own gives it whole unless told a count."""
    count = (options.tokens or drawn) - 2
    if options.payload == "words":
        return payloads.words(count, draw, number)
    tokens = payloads.slices(message if options.payload in payloads.OF_REQUEST else payloads.TEXTS[options.payload])
    return tokens[: MAX_TOKENS - 2] if options.tokens is None else payloads.fitted(tokens, count)


def _overrides(base: Overrides, given: Mapping[str, object], where: str) -> Overrides:
    known: dict[str, object] = {}
    for key, value in given.items():
        if key in ("ttft_s", "itl_s"):
            known[key] = _number(key, value, where, 0.0, MAX_WAIT_S)
        elif key == "tokens":
            known[key] = int(_number(key, value, where, MIN_TOKENS, MAX_TOKENS))
        elif key in ("payload", "fault"):
            known[key] = _choice(key, value, where, payloads.NAMES if key == "payload" else FAULTS)
        else:
            raise ApiError(400, f"Unknown option {key!r} in {where}: use ttft_s, itl_s, tokens, payload or fault.")
    return replace(base, **known)  # type: ignore[arg-type]  # each value was checked against its key above


def _number(key: str, value: object, where: str, low: float, high: float) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise ApiError(400, f"{key} is {value!r} in {where}: give a number from {low:.0f} to {high:.0f}.", param=key)
    return number


def _choice(key: str, value: object, where: str, choices: tuple[str, ...]) -> str:
    if str(value) not in choices:
        raise ApiError(400, f"{key} is {value!r} in {where}: use one of {', '.join(choices)}.", param=key)
    return str(value)
