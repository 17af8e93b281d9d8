"""Pass, fail or invalid: what a trial's figures mean. Decides only; touches nothing."""

from harness.analysis.facts import Facts, Figures
from harness.analysis.registry import figure
from harness.analysis.slo import cut_misses, slo_misses
from harness.analysis.unanswered import hung
from harness.analysis.validity import (
    MACHINE,
    Validity,
    absent,
    distrust,
    disturbances,
    doubts_of_a_pass,
    slow_tools,
    tools_spent,
    unsteadiness,
)
from harness.records import Reason, Unsettled, Verdict
from harness.records.slo import Slo


def judge_exploratory(figures: Figures, facts: Facts, validity: Validity | None = None) -> Verdict:
    """Judge a trial without an SLO (spike, visit): pass unless the target died or the measurement is invalid."""
    if spoilt := _spoilt_by_a_death(facts):
        return spoilt
    if deaths := _deaths(facts):
        return Verdict(outcome="fail", reasons=tuple(deaths))
    invalid = distrust(figures, facts, validity or Validity())
    return Verdict(outcome="invalid", reasons=tuple(invalid)) if invalid else Verdict(outcome="pass")


def judge(
    figures: Figures, facts: Facts, slo: Slo, validity: Validity | None = None, *, steady: bool = True
) -> Verdict:
    """Return the verdict of a trial of scenario ``chat``.

    A target that died, was killed or failed its SLO fails even where the measurement has blemishes that could only
    have made it look better; what could have made it look worse makes the trial invalid. ``steady``: a pass needs a
    steady state.
    """
    rules = validity or Validity()
    if spoilt := _spoilt_by_a_death(facts):
        return spoilt
    deaths = _deaths(facts)
    invalid = distrust(figures, facts, rules)
    missing = cut_misses if facts.stopped_early else slo_misses
    misses = [
        *hung(figures, facts),
        *missing(figures, slo, facts.commonest_failure),
        *(tools_spent(figures, facts, rules) if facts.no_app else ()),
    ]
    if deaths:
        return Verdict(outcome="fail", reasons=(*deaths, *misses))
    if invalid:
        return Verdict(outcome="invalid", reasons=tuple(invalid))
    if misses:
        return _failed([*misses, *_contention(figures, facts, rules), *_unmatched(figures)])
    doubts = [
        *(() if facts.stopped_early else absent(figures)),
        *doubts_of_a_pass(figures, facts, rules),
        *(unsteadiness(figures, rules) if steady else ()),
    ]
    if doubts:
        return Verdict(outcome="invalid", reasons=tuple(doubts))
    return Verdict(outcome="pass")


def _failed(reasons: list[Reason]) -> Verdict:
    return Verdict(
        outcome="fail", reasons=tuple(reasons), contended=any(one.code == "note.contended" for one in reasons)
    )


def _contention(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return a note where load generator and model may have taken the CPU time that a target lacked."""
    busy, limit = figures.get("host_busy_ratio"), rules.contended_host_busy_ratio
    if facts.spare_cpus or busy is None or busy <= limit:
        return []
    text = f"{figure('host_busy_ratio').against(busy, limit)}: hardly any CPU time to spare"
    return [Reason(code="note.contended", text=text, value=busy, limit=limit, unit="ratio")]


def _unmatched(figures: Figures) -> list[Reason]:
    """Return a note where added TTFT may hold time of the model."""
    if not (count := figures.get("unmatched_calls")):
        return []
    text = f"{figure('unmatched_calls').against(count, 0.0)}: their time counts as the target's"
    return [Reason(code="note.unmatched_calls", text=text, value=count, limit=0.0, unit="count")]


def judge_idle(figures: Figures, facts: Facts, sessions_lost: str | None, validity: Validity | None = None) -> Verdict:
    """Return the verdict of a trial that only holds sessions open: its memory and CPU are its result.

    ``sessions_lost`` says in words which sessions were not there; ``figures`` are those of the machine meanwhile.
    """
    if spoilt := _spoilt_by_a_death(facts):
        return spoilt
    if deaths := _deaths(facts):
        return Verdict(outcome="fail", reasons=tuple(deaths))
    lost = [Reason(code="invalid.sessions", text=sessions_lost)] if sessions_lost else []
    if invalid := [*lost, *disturbances(figures, facts, validity or Validity()), *absent(figures, MACHINE)]:
        return Verdict(outcome="invalid", reasons=tuple(invalid))
    return Verdict(outcome="pass")


def judge_unsettled(seen: Unsettled, figures: Figures, facts: Facts, validity: Validity | None = None) -> Verdict:
    """Return the verdict of a trial whose load never settled, so that nothing was measured.

    Turns under way that still grow are more than the target can answer. Where they still fall, all that is known is
    that the trial began to measure too soon. ``figures``: of machine, generator and model
    since all users were there.
    """
    rules = validity or Validity()
    if facts.died:
        return judge({}, facts, Slo())
    if invalid := [*disturbances(figures, facts, rules), *slow_tools(figures, facts, rules)]:
        return Verdict(outcome="invalid", reasons=tuple(invalid))
    grows = seen.later_live > seen.earlier_live
    text = (
        f"not settled: {seen.after_s:.3g} s after all users were there, turns under way still "
        f"{'grew' if grows else 'fell'} from {seen.earlier_live:.4g} to {seen.later_live:.4g}"
    )
    code = "target.unsettled" if grows else "invalid.unsettled"
    reason = Reason(code=code, text=text, value=seen.later_live, limit=seen.earlier_live, unit="count")
    if grows:
        return _failed([reason, *_contention(figures, facts, rules)])
    return Verdict(outcome="invalid", reasons=(reason,))


def invalid_budget(shortfall: str) -> Verdict:
    """Return the verdict of any trial whose target did not have the stated budget."""
    text = f"the target did not have the stated budget: {shortfall}"
    return Verdict(outcome="invalid", reasons=(Reason(code="invalid.budget", text=text),))


def _spoilt_by_a_death(facts: Facts) -> Verdict | None:
    """Return invalid where the model died, or the target of a lack of memory that is not its own."""
    reasons = [Reason(code="invalid.model", text=text) for text in facts.model_exits]
    reasons += lacked_memory(facts.oom_kills, facts.limit_reached)
    return Verdict(outcome="invalid", reasons=tuple(reasons)) if reasons else None


def lacked_memory(kills: int, limit_reached: bool | None) -> list[Reason]:
    """Return a reason where the kernel killed a target that had not reached its own memory limit.

    Then it says nothing of the target's capacity, whatever else ended with it.
    """
    if not kills or limit_reached is not False:
        return []
    text = f"processes killed below the target's own memory limit {kills} (limit 0): "
    text += "the machine or an outer group had no memory left"
    return [Reason(code="invalid.machine_memory", text=text, value=float(kills), limit=0.0, unit="kills")]


def _deaths(facts: Facts) -> list[Reason]:
    reasons = []
    if facts.oom_kills:
        where = "at the memory limit" if facts.limit_reached else "for lack of memory"
        unknown = "; the kernel does not tell at which limit" if facts.limit_reached is None else ""
        reasons.append(
            Reason(
                code="target.oom",
                text=f"processes killed {where} {facts.oom_kills} (limit 0){unknown}",
                value=float(facts.oom_kills),
                limit=0.0,
                unit="kills",
            )
        )
    reasons += [Reason(code="target.exit", text=text) for text in facts.target_exits]
    return reasons
