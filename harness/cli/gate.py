"""The gate for CI: base and head of one target, measured in pairs on this machine; exit code 4 where head is dearer."""

import argparse
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from harness import profiles
from harness.analysis.gate import BASE, HEAD, Decision, Pair, false_alarms
from harness.cli import REPOSITORY, lookup, output
from harness.environments import revisions
from harness.errors import EXIT_DONE, EXIT_GATE, EXIT_INVALID, BenchError, UsageError
from harness.host import machine
from harness.records import GateTerms, Profile
from harness.runtimes.protocol import Prepared, Runtime
from harness.targets import Catalogue, discover
from harness.trials import duration, opening
from harness.trials.context import TrialContext

EXITS = {"passed": EXIT_DONE, "failed": EXIT_GATE, "inconclusive": EXIT_INVALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The revisions and settings to compare, with every argument checked."""

    folder: Path
    profile: Profile
    runtime: Runtime
    runtime_name: str
    target: str
    sides: dict[str, tuple[str, Path]]  # base and head: name for people, folder that holds `targets`
    margin: float
    pairs: int


def run(args: argparse.Namespace) -> int:
    """Measure pairs until the gate decides; write run folder, JUnit XML and Markdown summary."""
    console = output.console()
    job = _job(args)
    with machine.one_campaign():
        prepared = _prepare(job, console)
        terms = GateTerms(base=job.sides[BASE][0], head=job.sides[HEAD][0], margin=job.margin, pairs=job.pairs)
        opening.require_writable(job.folder)
        opening.open_run(
            job.folder, job.profile, prepared.values(), root=REPOSITORY, runtime=job.runtime_name, gate=terms
        )
        expected_s = 2 * job.pairs * duration.trial_s(job.profile, job.profile.search.base_users)
        console.print(
            f"gate: {job.target}, {job.sides[BASE][0]} against {job.sides[HEAD][0]}, {job.pairs} pairs a batch: about "
            f"{duration.in_words(expected_s, 2 * expected_s)}",
            highlight=False,
            soft_wrap=True,
        )
        decision, pairs = _decide(job, prepared, console)
    return _report(job, decision, pairs, console)


def _job(args: argparse.Namespace) -> Job:
    if args.pairs < 3:
        raise UsageError(f"--pairs is {args.pairs}", "an interval needs at least 3 pairs")
    if not 0 < args.margin < 1:
        raise UsageError(f"--margin is {args.margin}", "give a share between 0 and 1, such as 0.05")
    profile = profiles.load(args.profile)
    lookup.catalogue().target(args.target)
    sides = {BASE: revisions.checkout(REPOSITORY, args.base), HEAD: revisions.checkout(REPOSITORY, args.head)}
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-gate-{secrets.token_hex(2)}"
    return Job(
        folder=args.results / run_id,
        profile=profile,
        runtime=lookup.runtime(args.runtime),
        runtime_name=args.runtime,
        target=args.target,
        sides=sides,
        margin=args.margin,
        pairs=args.pairs,
    )


def _prepare(job: Job, console: Console) -> dict[str, Prepared]:
    """Make both sides ready, by side; the model and everything that measures is this checkout's for both."""
    here = lookup.catalogue()
    prepared = {}
    for side, (_, folder) in job.sides.items():
        there = discover(folder / "targets")
        catalogue = Catalogue(parts={**there.parts, ("model", here.model.name): here.model})
        target = replace(catalogue.target(job.target), name=f"{job.target}@{side}")
        prepared[side] = job.runtime.prepare(
            target, catalogue, REPOSITORY, job.profile.seed, lambda text: console.print(text, highlight=False)
        )
    return prepared


def _decide(job: Job, prepared: dict[str, Prepared], console: Console) -> tuple[Decision, list[Pair]]:
    from harness.trials import gate_pairs  # pandas takes seconds to import: only after the words were checked

    context = TrialContext(run=job.folder, runtime=job.runtime, profile=job.profile, tell=lambda phase, live: None)

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    pairing = gate_pairs.Pairing(context=context, sides=prepared, pairs=job.pairs, tell=tell)
    return gate_pairs.decide(pairing, job.margin)


def _report(job: Job, decision: Decision, pairs: Sequence[Pair], console: Console) -> int:
    from reports.build import build, page
    from reports.compare import gate as report

    facts = report.Gate(
        target=job.target,
        base=job.sides[BASE][0],
        head=job.sides[HEAD][0],
        users=job.profile.search.base_users,
        decision=decision,
        pairs=tuple(pairs),
        false_alarm_ratio=false_alarms(pairs, job.margin),
    )
    written = report.write(facts, job.folder / "report")  # before the page: whatever fails there, CI has its answer
    console.print(report.to_markdown(facts), highlight=False, markup=False, soft_wrap=True)
    for path in written:
        console.print(f"written: {path}", highlight=False, soft_wrap=True)
    try:
        build(job.folder)
        console.print(f"written: {page(job.folder)}", highlight=False, soft_wrap=True)
    except BenchError as error:  # the answer stands, and so does its exit code
        print(f"chatbench: {error.message}\n  {error.hint}", file=sys.stderr)
    return EXITS[decision.outcome]
