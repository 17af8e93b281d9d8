"""Security headers of an answer, judged alike for every target."""

from harness.probes.client import Answer
from harness.probes.security.tally import Tally

HELD_REFERRER = (
    "no-referrer",
    "same-origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
)
HSTS = (
    "HSTS (Strict-Transport-Security) is not applicable: browsers ignore it on plain http; "
    "a deployment's proxy sets it together with TLS."
)
OPENING = ("'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:")


def content_policy(answer: Answer) -> dict[str, list[str]]:
    """Return the directives of an answer's Content-Security-Policy."""
    directives = (words.split() for words in answer.header("Content-Security-Policy").split(";"))
    return {words[0].lower(): words[1:] for words in directives if words}


def judge(tally: Tally, where: str, answer: Answer) -> None:
    """Note seven protections of one answer: what each header is for, and what it said."""
    policy = content_policy(answer)
    fallback = policy.get("default-src")
    scripts = policy.get("script-src", fallback)
    _note(
        tally,
        where,
        "scripts from elsewhere and inline (CSP script-src)",
        "a list without 'unsafe-inline'",
        _list(scripts),
        closed(scripts),
    )
    objects = policy.get("object-src", fallback)
    _note(tally, where, "plug-ins (CSP object-src)", "'none' or 'self'", _list(objects), closed(objects))
    pictures = policy.get("img-src", fallback)
    _note(tally, where, "pictures from elsewhere (CSP img-src)", "own addresses", _list(pictures), _own(pictures))
    frames = policy.get("frame-ancestors")
    framing = answer.header("X-Frame-Options").upper()
    held = frames in (["'none'"], ["'self'"]) or framing in ("DENY", "SAMEORIGIN")
    _note(tally, where, "framing by others", "refused", _list(frames) if frames else framing or "absent", held)
    sniffing = answer.header("X-Content-Type-Options").lower()
    _note(tally, where, "guessed content types", "nosniff", sniffing or "absent", sniffing == "nosniff")
    referrer = answer.header("Referrer-Policy").lower()
    _note(
        tally,
        where,
        "addresses told to others (Referrer-Policy)",
        "own origin at most",
        referrer or "absent",
        referrer in HELD_REFERRER,
    )
    opener = answer.header("Cross-Origin-Opener-Policy").lower()
    _note(tally, where, "windows of others (COOP)", "same-origin", opener or "absent", opener == "same-origin")


def closed(sources: list[str] | None) -> bool:
    """Tell if a list of sources excludes inline code and arbitrary addresses; an absent list excludes nothing."""
    return sources is not None and not any(word.lower() in OPENING for word in sources)


def _own(sources: list[str] | None) -> bool:
    return sources is not None and all(word in ("'self'", "'none'", "data:", "blob:") for word in sources)


def _list(sources: list[str] | None) -> str:
    return "absent" if sources is None else " ".join(sources) or "empty"


def _note(tally: Tally, where: str, what: str, expected: str, seen: str, passed: bool) -> None:
    tally.note(f"{where}: {what}", expected, seen, passed)
