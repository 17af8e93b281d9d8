"""The claims as the example run judged them, or judged again by its tables where it recorded no bases.

Its raw samples are not part of the repository: judged again, a claim knows no trial at another think time.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from docs.generate.example import Example
from harness.analysis.plausible import Tried
from harness.records import AnswerPlan, Distribution, TargetInfo, from_json
from reports.content.claims import JudgedClaim, judge_known
from reports.content.known import Known, session


def judged(run: Example) -> list[JudgedClaim]:
    """Return the claims with their judgements."""
    printed = run.table["claims"]
    if printed and all("basis" in one for one in printed):
        return [from_json(JudgedClaim, one) for one in printed]
    return _again(run)


def _again(run: Example) -> list[JudgedClaim]:
    """Return the claims as they are judged today, by the cells of a run that recorded no bases."""
    think = from_json(Distribution, run.run["profile"]["think_s"])
    answer = from_json(AnswerPlan, run.run["profile"]["answer"])
    answer_s = answer.ttft_s.mean() + answer.tokens_mean() * answer.itl_s
    facts = {target: _known(run, target, think.mean(), answer_s) for target in run.targets}
    targets = {name: from_json(TargetInfo, info) for name, info in run.run["targets"].items()}
    return judge_known(facts, targets, run.table["columns"][0]["target"])


def _known(run: Example, target: str, think_s: float, answer_s: float) -> Known:
    capacity = run.cells["capacity_users", target]
    slope = run.cells.get(("memory_slope_bytes_per_session", target))
    low, high = capacity.bracket or (None, None)
    tried = [Tried(level=level, passed=level == low) for level in _levels(capacity.rests_on) if level in (low, high)]
    return Known(
        tried={think_s: tried} if tried else {},
        own_s=think_s,
        answer_s=answer_s,
        bracket=(low, high),
        worked_out=capacity.worked_out[1],
        session=session(slope.bracket, len(slope.rests_on)) if slope else None,
    )


def _levels(paths: Iterable[str]) -> list[int]:
    """Return the users of trials by their folders: NUMBER-LEVEL-REPETITION."""
    return [int(PurePosixPath(path).name.split("-")[1]) for path in paths]
