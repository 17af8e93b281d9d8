"""The gate for CI: base and head of one target, measured in pairs on this machine; exit code 4 where head is dearer."""

import argparse
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from harness import profiles
from harness.analysis.gate import BASE, HEAD, Decision, Pair, false_alarms
from harness.cli import REPOSITORY, lookup, output
from harness.errors import EXIT_DONE, EXIT_GATE, EXIT_INVALID, BenchError, UsageError
from harness.host import machine
from harness.records import GateTerms, Profile
from harness.runtimes.protocol import Prepared, Runtime
from harness.trials import duration, gate_sides, opening
from harness.trials.context import TrialContext
from harness.trials.gate_sides import Side

EXITS = {"passed": EXIT_DONE, "failed": EXIT_GATE, "inconclusive": EXIT_INVALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The revisions and settings to compare, with every argument checked."""

    folder: Path
    profile: Profile
    runtime: Runtime
    runtime_name: str
    target: str
    sides: Mapping[str, Side]  # base and head
    remarks: tuple[str, ...]
    margin: float
    pairs: int

    @property
    def revisions(self) -> tuple[str, str]:
        """Base and head for people."""
        return self.sides[BASE].revision, self.sides[HEAD].revision


def run(args: argparse.Namespace) -> int:
    """Measure pairs until the gate decides; write run folder, JUnit XML and Markdown summary."""
    console = output.console()
    job = _job(args)
    with machine.one_campaign():
        prepared = _prepare(job, console)
        base, head = job.revisions
        terms = GateTerms(base=base, head=head, margin=job.margin, pairs=job.pairs, remarks=job.remarks)
        opening.require_writable(job.folder)
        opening.open_run(
            job.folder, job.profile, prepared.values(), root=REPOSITORY, runtime=job.runtime_name, gate=terms
        )
        expected_s = 2 * job.pairs * duration.trial_s(job.profile, job.profile.search.base_users)
        about = duration.in_words(expected_s, 2 * expected_s)
        lines = [f"gate: {job.target}, {base} against {head}, {job.pairs} pairs a batch: about {about}"]
        for line in (*lines, *(f"note: {remark}" for remark in job.remarks)):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        decision, pairs = _decide(job, prepared, console)
    return _report(job, decision, pairs, console)


def _job(args: argparse.Namespace) -> Job:
    if args.pairs < 3:
        raise UsageError(f"--pairs is {args.pairs}", "an interval needs at least 3 pairs")
    if not 0 < args.margin < 1:
        raise UsageError(f"--margin is {args.margin}", "give a share between 0 and 1, such as 0.05")
    profile = profiles.load(args.profile)
    _require_local(args.runtime)
    runtime = lookup.runtime(args.runtime)
    both = gate_sides.sides(args.target, (BASE, args.base), (HEAD, args.head), lookup.catalogue(), REPOSITORY)
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-gate-{secrets.token_hex(2)}"
    return Job(
        folder=args.results / run_id,
        profile=profile,
        runtime=runtime,
        runtime_name=args.runtime,
        target=args.target,
        sides=both.by_name,
        remarks=both.remarks,
        margin=args.margin,
        pairs=args.pairs,
    )


def _require_local(runtime: str) -> None:
    """Raise UsageError for containers: images are built from the checkout, so that both sides would be one image."""
    if runtime == "docker":
        raise UsageError(
            "--runtime docker: images hold the files as they are, not those of another revision",
            "leave it out: a gate measures without containers",
        )


def _prepare(job: Job, console: Console) -> dict[str, Prepared]:
    """Make both sides ready, by side; the model and everything that measures is this checkout's for both."""

    def tell(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    prepared = {}
    for name, side in job.sides.items():
        try:
            prepared[name] = job.runtime.prepare(side.target, side.catalogue, REPOSITORY, job.profile.seed, tell)
        except BenchError as error:
            message = f"{name}, {side.revision}: {error.message}"
            raise BenchError(message, error.hint, exit_code=error.exit_code) from error
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
        base=job.revisions[0],
        head=job.revisions[1],
        users=job.profile.search.base_users,
        decision=decision,
        pairs=tuple(pairs),
        false_alarm_ratio=false_alarms(pairs, job.margin),
        remarks=job.remarks,
    )
    written = report.write(facts, job.folder / "report")  # before the page: whatever fails there, CI has its answer
    console.print(report.to_markdown(facts), highlight=False, markup=False, soft_wrap=True)
    for path in written:
        console.print(f"written: {path}", highlight=False, markup=False, soft_wrap=True)
    try:
        build(job.folder)
        console.print(f"written: {page(job.folder)}", highlight=False, markup=False, soft_wrap=True)
    except BenchError as error:  # the answer stands, and so does its exit code
        print(f"chatbench: {error.message}\n  {error.hint}", file=sys.stderr)
    return EXITS[decision.outcome]
