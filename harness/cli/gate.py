"""The gate for CI: base and head of one target, measured in pairs on this machine; exit code 4 where head is dearer."""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from harness import profiles, results
from harness.analysis.gate import BASE, HEAD, Decision, Pair, false_alarms, gate, order, pair_of
from harness.cli import REPOSITORY, lookup
from harness.environments import revisions
from harness.errors import EXIT_DONE, EXIT_GATE, EXIT_INVALID, BenchError, UsageError
from harness.host import machine
from harness.records import GateTerms, Profile, Run, TrialKey
from harness.runtimes.protocol import Prepared, Runtime
from harness.targets import Catalogue, discover
from harness.trials import duration
from harness.trials.context import TrialContext

EXITS = {"passed": EXIT_DONE, "failed": EXIT_GATE, "inconclusive": EXIT_INVALID}
SCENARIO = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is compared with what, after everything a person said was checked."""

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
    console = Console()
    job = _job(args)
    with machine.one_campaign():
        prepared = _prepare(job, console)
        _open(job, prepared)
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
    """Make both sides ready; the model and everything that measures is this checkout's for both."""
    here = lookup.catalogue()
    found = {}
    for side, (_, folder) in job.sides.items():
        there = discover(folder / "targets")
        catalogue = Catalogue(parts={**there.parts, ("model", here.model.name): here.model})
        target = replace(catalogue.target(job.target), name=f"{job.target}@{side}")
        found[target.name] = job.runtime.prepare(
            target, catalogue, REPOSITORY, job.profile.seed, lambda text: console.print(text, highlight=False)
        )
    return found


def _open(job: Job, prepared: dict[str, Prepared]) -> None:
    try:
        job.folder.mkdir(parents=True)
        tempfile.TemporaryFile(dir=job.folder).close()
    except OSError as error:
        raise BenchError(f"{job.folder} cannot be written: {error}", "name another folder: --results") from error
    found = machine.fingerprint()
    results.write_run(
        job.folder,
        Run(
            run_id=job.folder.name,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            command=("chatbench", *sys.argv[1:]),
            tool_version=version("chatbench"),
            seed=job.profile.seed,
            runtime=job.runtime_name,
            profile=job.profile,
            machine=found,
            common_level=job.profile.search.base_users,
            targets={name: one.info for name, one in prepared.items()},
            selftest=results.read_selftest(REPOSITORY, found),
            gate=GateTerms(base=job.sides[BASE][0], head=job.sides[HEAD][0], margin=job.margin, pairs=job.pairs),
        ),
    )


def _decide(job: Job, prepared: dict[str, Prepared], console: Console) -> tuple[Decision, list[Pair]]:
    deciding = gate(job.margin)
    number = next(deciding)
    measured: list[Pair] = []
    try:
        while True:
            batch = _batch(job, prepared, number, console)
            measured += batch
            number = deciding.send(batch)
            console.print(f"batch {number - 1} does not settle it; measuring a second one", highlight=False)
    except StopIteration as end:
        decision: Decision = end.value
        return decision, measured


def _batch(job: Job, prepared: dict[str, Prepared], batch: int, console: Console) -> list[Pair]:
    from harness.trials import trial

    bench = TrialContext(run=job.folder, runtime=job.runtime, profile=job.profile, tell=lambda phase, live: None)
    pairs = []
    for n in range(job.pairs):
        made = {}
        for side in order(job.profile.seed, batch, n):
            repetition = (batch - 1) * job.pairs + n
            key = TrialKey(
                target=f"{job.target}@{side}",
                scenario=SCENARIO,
                level=job.profile.search.base_users,
                repetition=repetition,
                number=repetition + 1,
            )
            made[side] = trial.run_trial(bench, prepared[key.target], key)
        pairs.append(pair_of(batch, made[BASE], made[HEAD]))
        console.print(
            f"  pair {n + 1} of {job.pairs}: {_said(pairs[-1])}", highlight=False, markup=False, soft_wrap=True
        )
    return pairs


def _said(pair: Pair) -> str:
    if pair.base is None or pair.head is None:
        return f"left out: {pair.invalid or 'a trial recorded no CPU time'}"
    texts = [f"{1000 * value:.2f} ms" for value in (pair.base, pair.head)]
    return f"CPU per turn {texts[0]} at base, {texts[1]} at head, × {pair.head / pair.base:.3f}"


def _report(job: Job, decision: Decision, pairs: Sequence[Pair], console: Console) -> int:
    from reports.build import build, page
    from reports.compare import gate as report

    build(job.folder)
    facts = report.Gate(
        target=job.target,
        base=job.sides[BASE][0],
        head=job.sides[HEAD][0],
        users=job.profile.search.base_users,
        decision=decision,
        pairs=tuple(pairs),
        false_alarm_ratio=false_alarms(pairs, job.margin),
    )
    written = report.write(facts, job.folder / "report")
    console.print(report.to_markdown(facts), highlight=False, markup=False, soft_wrap=True)
    for path in (*written, page(job.folder)):
        console.print(f"written: {path}", highlight=False, soft_wrap=True)
    return EXITS[decision.outcome]
