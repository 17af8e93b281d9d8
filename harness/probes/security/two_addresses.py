"""A target with two addresses, each with a face of its own: what was seen of both, in one finding."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.probes.probe import NothingToTryError, NotMeasuredError, Seen, Try

FAILED = "FAILED "


def both(faces: Mapping[str, Callable[[], Seen]]) -> Seen:
    """Return the tries of all faces, told apart by the face's name; NotMeasuredError where none could be tried.

    Only all faces together hold: where one has to be tried and could not be, nothing is said unless another is broken.
    """
    tries: list[Try] = []
    texts, table, briefs = [], [], list[str]()
    untried = False
    for face, trying in faces.items():
        try:
            seen = trying()
        except NotMeasuredError as reason:
            untried = untried or not isinstance(reason, NothingToTryError)
            texts.append(f"{face}: not measured, {reason}.")
            continue
        tries += [replace(one, line=_of(face, one.line)) for one in seen.tries]
        counted = [one.passed for one in seen.tries if one.counted]
        texts.append(f"{face}, {sum(counted)} of {len(counted)}: {seen.text}")
        briefs += [f"{face}: {seen.brief}"] if seen.brief else []
        table += [f"{face}:", *seen.table] if seen.table else []
    if not tries or (untried and all(one.passed for one in tries)):
        raise NotMeasuredError(" ".join(texts))
    return Seen(
        tries=(*(one for one in tries if not one.passed), *(one for one in tries if one.passed)),
        text=" ".join(texts),
        brief="; ".join(briefs),
        table=tuple(table),
    )


def _of(face: str, line: str) -> str:
    said = line.removeprefix(FAILED)
    return f"{FAILED if said != line else ''}{face}: {said}"
