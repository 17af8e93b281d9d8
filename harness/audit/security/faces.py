"""A target with two addresses, each with a face of its own: what was seen of both, in one finding."""

from collections.abc import Callable, Mapping

from harness.audit.probing import NotMeasuredError, Seen, Try

BROKEN = "BROKEN "


def both(faces: Mapping[str, Callable[[], Seen]]) -> Seen:
    """Return the tries of all faces, told apart by the face's name; NotMeasuredError where none could be tried.

    A face that could not be tried takes no other with it: the text says why.
    """
    tries: list[Try] = []
    texts, table = [], []
    for face, trying in faces.items():
        try:
            seen = trying()
        except NotMeasuredError as reason:
            texts.append(f"{face}: not measured, {reason}")
            continue
        tries += [Try(passed=one.passed, line=_of(face, one.line)) for one in seen.tries]
        texts.append(f"{face}: {seen.text}")
        table += [f"{face}:", *seen.table] if seen.table else []
    if not tries:
        raise NotMeasuredError("; ".join(texts))
    return Seen(
        tries=(*(one for one in tries if not one.passed), *(one for one in tries if one.passed)),
        text=" ".join(texts),
        table=tuple(table),
    )


def _of(face: str, line: str) -> str:
    said = line.removeprefix(BROKEN)
    return f"{BROKEN if said != line else ''}{face}: {said}"
