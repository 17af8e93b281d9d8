"""What the article's claims ask for, stated a second time: quantities, thresholds, think times, targets."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

THINK_TIMES_S = (3.0, 8.4, 18.0, 100.0)


class Ask(NamedTuple):
    """A quantity, the side of its threshold that a claim is on, and the threshold."""

    quantity: str
    direction: str
    threshold: float


ASKS: Mapping[str, tuple[Ask, ...]] = {
    "large-loads": (Ask("capacity_users", "at least", 1000),),
    "several-thousand": (Ask("capacity_users", "at least", 2000),),
    "redis-helps": (
        Ask("capacity_ratio", "at least", 1),
        Ask("cpu_ratio", "below", 1),
        Ask("added_ttft_ratio", "below", 1),
    ),
    "streamlit-early": (Ask("capacity_ratio", "at least", 2),),
    "streamlit-own-resources": (Ask("session_bytes_difference", "at least", 0),),
    "few-streamlit-users": (Ask("capacity_users", "below", 100),),
}


def asks_of(claim: str) -> tuple[Ask, ...]:
    """Return what a claim asks for; its id may name a further target behind a slash."""
    return ASKS[claim.partition("/")[0]]


def claimed(targets: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return by id of every claim about a target of the run this target, or the pair.

    Args:
        targets: What the run says of each.
    """
    modular = _modular(targets)
    streamlits = [name for name in targets if _bare(name) == "streamlit"]
    streamlits.sort(key=lambda name: name != "streamlit")
    builds: list[tuple[str, ...]] = []
    pairs: list[tuple[str, ...]] = []
    redis: list[tuple[str, ...]] = []
    if modular is not None:
        plain = _as(modular, "plain")
        builds = [(name,) for name in (modular, plain) if name in targets]
        pairs = [(plain if name == "streamlit:plain" else modular, name) for name in streamlits]
        redis = [(modular, _as(modular, "no-redis"))] if _django(modular) else []
    found: dict[str, Sequence[tuple[str, ...]]] = {
        "large-loads": builds,
        "several-thousand": builds if modular is not None and _django(modular) else [],
        "redis-helps": redis,
        "streamlit-early": pairs,
        "streamlit-own-resources": pairs,
        "few-streamlit-users": [(name,) for name in streamlits],
    }
    return {
        claim if n == 0 else f"{claim}/{names[-1]}": names
        for claim, every in found.items()
        for n, names in enumerate(every)
    }


def _modular(targets: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the target of the modular column: Django with Angular, else the first as tuned, else the first."""
    names = [name for name, info in targets.items() if info["kind"] == "modular"]
    names.sort(key=lambda name: (name != "django+angular", ":" in name))
    return names[0] if names else None


def _bare(target: str) -> str:
    """Return a target's name without the variants of its parts."""
    return "+".join(part.split(":")[0] for part in target.split("+"))


def _as(target: str, variant: str) -> str:
    """Return the target whose first part is of this variant."""
    first, *others = target.split("+")
    return "+".join([f"{first.split(':')[0]}:{variant}", *others])


def _django(target: str) -> bool:
    """Tell if a target is Django's API behind a web part that is no Streamlit."""
    first, *others = _bare(target).split("+")
    return first == "django" and others not in ([], ["streamlit"])
