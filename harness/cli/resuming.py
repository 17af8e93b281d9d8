"""Adding to a run: its trials go on, or its parts are swapped, with the same files, machine and program only."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

from harness import profiles
from harness.cli import REPOSITORY
from harness.environments.sources import changed_since, digest_of_measuring, digest_of_part
from harness.errors import UsageError
from harness.host import machine
from harness.records import Run, TargetInfo, machine_differences, to_json
from harness.runtimes.protocol import Prepared
from harness.targets import Catalogue, Part, Target

NEW_RUN = "start a new run"


def require_same_settings(earlier: Run, *, profile: str | None, runtime: str | None, workers: int | None) -> None:
    """Raise UsageError for an option that says something else than the run was begun with; None: not typed."""
    asked = earlier.profile if profile is None else profiles.load(profile)
    other = " of other settings" if asked.name == earlier.profile.name else ""
    for option, typed, was, same in (
        ("profile", profile, f"{earlier.profile.name}{other}", asked == earlier.profile),
        ("runtime", runtime, earlier.runtime, runtime in (None, earlier.runtime)),
        ("workers", workers, earlier.workers, workers in (None, earlier.workers)),
    ):
        if not same:
            raise UsageError(
                f"--{option} {typed}: run {earlier.run_id} was begun with {option} {was}",
                f"leave --{option} out to resume it, or {NEW_RUN}",
            )


def require_same_place(earlier: Run) -> None:
    """Raise UsageError for a gate's run, another machine, or another chatbench than the run was begun by."""
    if earlier.gate:
        raise UsageError(
            f"run {earlier.run_id} is a gate's, whose pairs are measured in one go",
            "measure it again: chatbench compare BASE HEAD --gate",
        )
    now = machine.fingerprint()
    changed = machine_differences(earlier.machine, now)
    if changed:
        key = changed[0]
        raise UsageError(
            f"run {earlier.run_id} was begun on another machine: "
            f"{key} was {earlier.machine.get(key)!r}, is {now.get(key)!r}",
            f"results of different machines do not go into one table; {NEW_RUN}",
        )
    mine = version("chatbench")
    if earlier.tool_version != mine:
        raise UsageError(
            f"run {earlier.run_id} was begun by chatbench {earlier.tool_version}, this is {mine}",
            f"use that version, or {NEW_RUN}",
        )
    if earlier.measuring != digest_of_measuring(REPOSITORY):
        raise UsageError(
            f"run {earlier.run_id} was begun by another state of chatbench {mine}: files that measure differ",
            f"check out the commit that began it, or {NEW_RUN}",
        )


def targets_of(earlier: Run, catalogue: Catalogue) -> tuple[Target, ...]:
    """Return a run's targets; a folder is the one that was meant where the run was begun.

    Raises:
        UsageError: a target is not there any more, or an older run does not say where it was.
    """
    begun_in = Path(earlier.directory) if earlier.directory else Path()

    def find(folder: str) -> Path:
        if not earlier.directory and not Path(folder).is_absolute():
            raise UsageError(f"run {earlier.run_id} does not say in which folder {folder} was", NEW_RUN)
        return (begun_in / folder).resolve()

    return tuple(catalogue.target(name, find=find) for name in earlier.targets)


def require_same_targets(earlier: Run, prepared: Mapping[str, Prepared], measured: Iterable[str]) -> bool:
    """Raise UsageError where a target of which trials are kept is not what it was.

    Args:
        earlier: The run as it was begun.
        prepared: Its targets as they are now.
        measured: Those of which trials are kept.

    Returns:
        Whether other targets changed, of which nothing is measured yet.
    """
    kept, fresh = set(measured), False
    for name, one in prepared.items():
        changed = next(_changes(earlier, name, one), None)
        if changed and name in kept:
            raise UsageError(
                f"{name} is not what run {earlier.run_id} measured: {changed}", f"restore it as it was, or {NEW_RUN}"
            )
        fresh = fresh or changed is not None
    return fresh


def require_same_parts(earlier: Run, parts: Iterable[Part]) -> None:
    """Raise UsageError for a part whose files are not those that a run measured under its name."""
    measured = {
        part["name"]: part["sources"] for info in earlier.targets.values() for part in info.parts if "sources" in part
    }
    for part in parts:
        if part.name in measured and measured[part.name] != digest_of_part(part):
            raise UsageError(
                f"{part.name} is not what run {earlier.run_id} measured: {_changed_files(earlier, part)}",
                f"restore it as it was, or {NEW_RUN}",
            )


def _changed_files(earlier: Run, part: Part) -> str:
    newer = changed_since(part, datetime.fromisoformat(earlier.created_at))
    if newer:
        return f"files in {part.folder} changed, such as {newer[0]}"
    return f"files in {part.folder}, or packages installed for it from elsewhere, changed"


def _changes(earlier: Run, name: str, now: Prepared) -> Iterator[str]:
    """Yield in words what differs between a target as recorded and as it is."""
    was = earlier.targets[name]
    for part, (before, after) in zip(now.target.parts, _parts(was, now.info), strict=False):
        if before.get("sources") != after.get("sources"):
            yield _changed_files(earlier, part)
    for before, after in _parts(was, now.info):
        for key in sorted({*before, *after} - {"sources"}):
            if before.get(key) != after.get(key):
                yield f"{after.get('name')}: {key} was {before.get(key)!r}, is {after.get(key)!r}"
    facts, found = to_json(was), to_json(now.info)
    for key in sorted(set(facts) - {"parts"}):
        if facts[key] != found[key]:
            yield f"{key} was {facts[key]!r}, is {found[key]!r}"


def _parts(was: TargetInfo, now: TargetInfo) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Return the parts of a target as recorded and as they are; one that is missing is empty."""
    nothing: dict[str, str] = {}
    return list(zip_longest(was.parts, now.parts, fillvalue=nothing))
