"""The facts on a target that a run records, the same in every runtime."""

from harness.environments.sources import digest_of_part
from harness.records import TargetInfo
from harness.targets import Target


def target_info(target: Target, parts: tuple[dict[str, str], ...]) -> TargetInfo:
    """Return a target's description; ``parts`` have their versions as installed, the target's own first."""
    if not target.no_app:
        own = tuple(facts | {"sources": digest_of_part(part)} for facts, part in zip(parts, target.parts, strict=False))
        parts = (*own, *parts[len(own) :])
    return TargetInfo(
        title=target.title,
        kind=target.kind,
        protocol=target.protocol,
        instances=target.instances,
        python_processes=target.python_processes,
        processes=target.processes,
        features=target.features,
        parts=parts,
    )
