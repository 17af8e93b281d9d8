"""The validity of a trial: every rule that makes it invalid."""

import re
from dataclasses import dataclass, replace

from harness.analysis.facts import Facts, Figures
from harness.analysis.registry import figure
from harness.analysis.unanswered import hung
from harness.records import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """The limits beyond which a measurement cannot be trusted."""

    generator_cores: float = 0.8
    schedule_delay_p95_s: float = 0.010
    model_lag_p99_s: float = 0.005
    foreign_cpu_ratio: float = 0.05
    steal_ratio: float = 0.05
    little_error_ratio: float = 0.01
    little_error_s_per_turn: float = 0.005  # what reading the clock twice in a busy loop takes; 1 % of half a second
    throttled_s: float = 0.5
    half_difference_ratio: float = 0.10
    half_difference_standard_errors: float = 3.0
    offered_ratio: float = 0.98
    contended_host_busy_ratio: float = 0.90  # docs/decisions/contended.md
    idle_target_cores_share: float = 0.9


MACHINE = ("foreign_cpu_ratio", "steal_ratio")
NEEDED = (
    "added_ttft_p95_s",
    "lateness_p95_s",
    "failure_ratio",
    *MACHINE,
    "little_error_ratio",
    "little_error_s_per_turn",
)


def absent(figures: Figures, needed: tuple[str, ...] = NEEDED) -> list[Reason]:
    """Return a reason for every figure that a rule needs and that was not recorded."""
    return [
        Reason(code="invalid.absent", text=f"{figure(name).phrase} not recorded")
        for name in needed
        if figures.get(name) is None
    ]


def _above(figures: Figures, name: str, limit: float, code: str) -> list[Reason]:
    value = figures.get(name)
    if value is None or value <= limit:
        return []
    measure = figure(name)
    return [Reason(code=code, text=measure.against(value, limit), value=value, limit=limit, unit=measure.unit)]


def _none_allowed(figures: Figures, name: str, code: str) -> list[Reason]:
    """Return a reason where something was counted that must not happen at all."""
    value = figures.get(name)
    if not value:
        return []
    text = figure(name).against(abs(value), 0.0)
    return [Reason(code=code, text=text, value=value, limit=0.0, unit=figure(name).unit)]


def disturbances(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what spoils any trial, with load or without."""
    reasons = [
        *_above(figures, "foreign_cpu_ratio", rules.foreign_cpu_ratio, "invalid.foreign_cpu"),
        *_above(figures, "steal_ratio", rules.steal_ratio, "invalid.steal"),
        *_above(figures, "throttled_s", rules.throttled_s, "invalid.throttled"),
    ]
    if facts.own_limits:
        text = f"turns that the load generator could not take for a limit of its own {facts.own_limits} (limit 0)"
        text += f": {facts.own_limit}" if facts.own_limit else ""
        reasons.append(
            Reason(code="invalid.generator_limits", text=text, value=float(facts.own_limits), limit=0.0, unit="count")
        )
    if facts.recorder_errors:
        text = f"recorder errors {facts.recorder_errors} (limit 0); see logs/generator.log"
        reasons.append(Reason(code="invalid.recorder", text=text, value=float(facts.recorder_errors), limit=0.0))
    if facts.foreign_nonces:
        text = f"answers to another user's message {facts.foreign_nonces} (limit 0): {_mixed_up(facts)}"
        reasons.append(Reason(code="invalid.foreign_nonce", text=text, value=float(facts.foreign_nonces), limit=0.0))
    return reasons


def _mixed_up(facts: Facts) -> str:
    if facts.lost_tags < facts.foreign_nonces:
        return "the target mixes up its users"
    return "the model saw no tag in the last user message; X-Chatbench-Tag can carry it"


def distrust(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return the reasons against trusting a trial under load; its SLO figures play no part."""
    reasons = disturbances(figures, facts, rules)
    clock_s = figures.get("little_error_s_per_turn")
    if clock_s is None or clock_s > rules.little_error_s_per_turn:
        reasons += _above(figures, "little_error_ratio", rules.little_error_ratio, "invalid.little")
    reasons += _none_allowed(figures, "unmatched_turns", "invalid.unmatched")
    reasons += _none_allowed(figures, "early_turns", "invalid.early")
    turns = figures.get("turns") or 0.0
    if turns < facts.turns_needed and not facts.stopped_early and not hung(figures, facts):
        text = f"{figure('turns').against(turns, facts.turns_needed, bound='minimum')}: too few for a 95th percentile"
        limit = float(facts.turns_needed)
        reasons.append(Reason(code="invalid.few_turns", text=text, value=turns, limit=limit, unit="count"))
    reasons += _none_allowed(figures, "lost_turns", "invalid.lost_turns")
    reasons += _none_allowed(figures, "arrivals_without_user", "invalid.users")
    return reasons + slow_tools(figures, facts, rules)


def slow_tools(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what shows that generator or model, on CPUs of their own, were what was slow."""
    return _late_tools(figures, facts, rules) if facts.spare_cpus and not facts.no_app else []


def tools_spent(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what shows generator and model at their limit: without an application that is a fail, not a flaw."""
    late = _late_tools(figures, facts, rules) if facts.spare_cpus else []
    spent = [*late, *_not_offered(figures, facts, rules)]
    return [replace(reason, code=reason.code.replace("invalid.", "target.")) for reason in spent]


def generator_cores(figures: Figures) -> list[float]:
    """Return the cores that each generator process used."""
    of_workers = [v for k, v in figures.items() if re.fullmatch(r"generator_\d+_cores", k) and v is not None]
    alone = figures.get("generator_cores")
    return of_workers or ([] if alone is None else [alone])


def _late_tools(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    busiest = {"generator_cores": max(generator_cores(figures), default=None)}
    reasons = [
        *_above(busiest, "generator_cores", rules.generator_cores, "invalid.generator_busy"),
        *_above(figures, "schedule_delay_p95_s", rules.schedule_delay_p95_s, "invalid.schedule_delay"),
    ]
    target_cores = figures.get("target_cores")
    if target_cores is None or target_cores < rules.idle_target_cores_share * facts.budget_cores:
        reasons += _above(figures, "model_lag_p99_s", rules.model_lag_p99_s, "invalid.model_lag")
    return reasons


def doubts_of_a_pass(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what could have made a target look better than it is."""
    reasons: list[Reason] = []
    if facts.stopped_early:
        text = "stopped early as certain to fail, but its turns met the SLO"
        reasons.append(Reason(code="invalid.stopped", text=text))
    if facts.sign_in_failures:
        text = f"users without a session {facts.sign_in_failures} (limit 0): less load than planned"
        reasons.append(Reason(code="invalid.sign_in", text=text, value=float(facts.sign_in_failures), limit=0.0))
    return reasons + _not_offered(figures, facts, rules)


def unsteadiness(figures: Figures, rules: Validity) -> list[Reason]:
    """Return which means differ between the window's halves by more than chance explains."""
    reasons: list[Reason] = []
    for name in ("turn_half", "live_half"):
        difference, error = figures.get(f"{name}_difference_ratio"), figures.get(f"{name}_error_ratio")
        if difference is None:
            continue
        allowed = max(rules.half_difference_ratio, rules.half_difference_standard_errors * (error or 0.0))
        if abs(difference) > allowed:
            text = f"no steady state: {figure(f'{name}_difference_ratio').against(abs(difference), allowed)}"
            reasons.append(
                Reason(code="invalid.unsteady", text=text, value=abs(difference), limit=allowed, unit="ratio")
            )
    return reasons


def _not_offered(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    offered = figures.get("offered_ratio")
    if facts.spare_cpus or offered is None or offered >= rules.offered_ratio:
        return []
    text = figure("offered_ratio").against(offered, rules.offered_ratio, bound="minimum")
    return [Reason(code="invalid.offered", text=text, value=offered, limit=rules.offered_ratio, unit="ratio")]
