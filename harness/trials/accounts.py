"""The generator's files, by one process or several, put together and reconciled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import results
from harness.errors import BenchError
from harness.records import GeneratorSummary, LoadPlan, Turn, WorkerShare


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A trial's account and turns; ``faults`` name each misfit in words, and with a fault there is no account."""

    summary: GeneratorSummary | None
    turns: list[Turn]
    faults: tuple[str, ...] = ()


def suffixes(workers: int) -> tuple[str, ...]:
    """Return what tells the files of several generator processes apart; one process needs nothing."""
    return tuple(f"-{k}" for k in range(workers)) if workers > 1 else ("",)


def gather(folder: Path, plan: LoadPlan) -> Gathered:
    """Read what the generator wrote into a trial's folder.

    Workers are put together only if every one of them accounts for all it should have: a load that is short would look
    like a target that is fast. What can be read of the turns is returned in any case.
    """
    if plan.workers == 1:
        summary = results.read_summary(folder)
        return Gathered(summary=summary, turns=results.read_lines(Turn, folder / "turns.jsonl") if summary else [])
    summaries, turns, faults = [], [], []
    for k, suffix in enumerate(suffixes(plan.workers)):
        try:
            summary, written = _account(folder, suffix)
        except BenchError as error:
            faults.append(f"worker {k} of {plan.workers}: {error.message}")
            continue
        summaries.append(summary)
        turns += written
        users = range(k, plan.users, plan.workers)
        faults += [f"worker {k} of {plan.workers} {text}" for text in _misfits(summary, written, users)]
    if not faults and any(one.phases != summaries[0].phases for one in summaries):
        faults.append("the workers were out of step: they do not agree on the phases")
    turns.sort(key=lambda turn: (turn.sent_s, turn.user))
    return Gathered(summary=None if faults else together(summaries), turns=turns, faults=tuple(faults))


def _account(folder: Path, suffix: str) -> tuple[GeneratorSummary, list[Turn]]:
    summary = results.read_summary(folder, suffix)
    if summary is None:
        raise BenchError(f"it exited before writing generator{suffix}.json", "see logs/generator.log")
    return summary, results.read_lines(Turn, folder / f"turns{suffix}.jsonl")


def _misfits(summary: GeneratorSummary, turns: Sequence[Turn], users: range) -> list[str]:
    misfits = []
    if summary.note:
        misfits.append(f"did not end as planned: {summary.note}")
    if summary.turns_written != len(turns):
        misfits.append(f"wrote {summary.turns_written} turns, its file holds {len(turns)}")
    if summary.users != len(users) or any(turn.user not in users for turn in turns):
        misfits.append("did not simulate the users that are its share")
    measure = summary.phases.get("measure")
    if measure and any((turn.phase == "measure") != _inside(turn, measure.start_s, measure.end_s) for turn in turns):
        misfits.append("was out of step: it heard too late when measuring began or was over")
    return misfits


def _inside(turn: Turn, start_s: float, end_s: float) -> bool:
    return start_s <= turn.intended_s < end_s


def together(summaries: Sequence[GeneratorSummary]) -> GeneratorSummary:
    """Return one account of all workers, with each one's share.

    Raises:
        BenchError: one of them accounts for what only a single process can: visits, arrivals or a spike.
    """
    if any(one.visits or one.arrivals or one.spike for one in summaries):
        raise BenchError(
            "several generator processes accounted for visits, arrivals or a spike, which cannot be put together",
            "such a trial has one process: see harness.trials.plans.workers_for",
        )
    return replace(
        summaries[0],
        users=sum(one.users for one in summaries),
        turns_begun=sum(one.turns_begun for one in summaries),
        turns_ended=sum(one.turns_ended for one in summaries),
        turns_written=sum(one.turns_written for one in summaries),
        live_turn_seconds=sum(one.live_turn_seconds for one in summaries),
        cpu_s=sum(one.cpu_s for one in summaries),
        stopped_early=any(one.stopped_early for one in summaries),
        recorder_errors=sum(one.recorder_errors for one in summaries),
        sign_in_failures=sum(one.sign_in_failures for one in summaries),
        workers=tuple(
            WorkerShare(
                users=one.users,
                turns_begun=one.turns_begun,
                turns_ended=one.turns_ended,
                turns_written=one.turns_written,
                cpu_s=one.cpu_s,
            )
            for one in summaries
        ),
    )
