"""Whether a trial can be trusted: every rule that makes it invalid."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.analysis.facts import Facts, Figures
from harness.analysis.unanswered import hung
from harness.records import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a measurement cannot be trusted."""

    generator_cores: float = 0.8
    schedule_delay_p95_s: float = 0.010
    model_lag_p99_s: float = 0.005
    foreign_cpu_ratio: float = 0.05
    steal_ratio: float = 0.05
    little_error_ratio: float = 0.01
    little_error_s_per_turn: float = 0.005  # what reading the clock twice in a busy loop takes; 1 % of half a second
    half_difference_ratio: float = 0.10
    half_difference_standard_errors: float = 3.0
    offered_ratio: float = 0.98
    contended_host_busy_ratio: float = 0.90
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
    """A rule whose figure is absent has not been kept: it could not be looked at."""
    return [
        Reason(code="invalid.absent", text=f"{name} was not recorded, so nothing can be said of it")
        for name in needed
        if figures.get(name) is None
    ]


def _above(
    figures: Figures, name: str, limit: float, code: str, say: Callable[[float], str], unit: str
) -> list[Reason]:
    value = figures.get(name)
    if value is None or value <= limit:
        return []
    return [Reason(code=code, text=say(value), value=value, limit=limit, unit=unit)]


def disturbances(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what spoils any trial, with load or without."""
    reasons = [
        *_above(
            figures,
            "foreign_cpu_ratio",
            rules.foreign_cpu_ratio,
            "invalid.foreign_cpu",
            lambda v: f"other programs used {v:.0%} of the machine's CPUs",
            "ratio",
        ),
        *_above(
            figures,
            "steal_ratio",
            rules.steal_ratio,
            "invalid.steal",
            lambda v: f"the hypervisor took {v:.0%} of the CPU time",
            "ratio",
        ),
    ]
    if facts.recorder_errors:
        text = f"the recorder met {facts.recorder_errors} errors; see the generator's log"
        reasons.append(Reason(code="invalid.recorder", text=text, value=float(facts.recorder_errors), limit=0.0))
    if facts.foreign_nonces:
        text = f"{facts.foreign_nonces} answers belonged to somebody else's message: the target mixes up its users"
        reasons.append(Reason(code="invalid.foreign_nonce", text=text, value=float(facts.foreign_nonces), limit=0.0))
    return reasons


def distrust(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    reasons = disturbances(figures, facts, rules)
    clock_s = figures.get("little_error_s_per_turn")
    if clock_s is None or clock_s > rules.little_error_s_per_turn:
        reasons += _above(
            figures,
            "little_error_ratio",
            rules.little_error_ratio,
            "invalid.little",
            lambda v: f"recorded turns and the users' logged states differ by {v:.1%} (Little's law)",
            "ratio",
        )
    unmatched = figures.get("unmatched_turns")
    if unmatched:
        text = f"{unmatched:.0f} answers are missing from the model's log"
        reasons.append(Reason(code="invalid.unmatched", text=text, value=unmatched, limit=0.0, unit="turns"))
    turns = figures.get("turns") or 0.0
    if turns < facts.turns_needed and not facts.stopped_early and not hung(figures, facts):
        text = f"{turns:.0f} turns are too few for a 95th percentile, {facts.turns_needed} needed"
        limit = float(facts.turns_needed)
        reasons.append(Reason(code="invalid.few_turns", text=text, value=turns, limit=limit, unit="turns"))
    lost = figures.get("lost_turns")
    if lost:
        text = f"{abs(lost):.0f} turns differ between what the users made and what was recorded"
        reasons.append(Reason(code="invalid.lost_turns", text=text, value=lost, limit=0.0, unit="turns"))
    short = figures.get("arrivals_without_user")
    if short:
        text = f"not enough users for the arrivals: {short:.0f} of them waited for one"
        reasons.append(Reason(code="invalid.users", text=text, value=short, limit=0.0, unit="arrivals"))
    if facts.spare_cpus and not facts.no_app:
        reasons += _late_tools(figures, facts, rules)
    return reasons


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
    reasons = [
        *_above(
            {"busiest": max(generator_cores(figures), default=None)},
            "busiest",
            rules.generator_cores,
            "invalid.generator_busy",
            lambda v: f"the generator used {v:.2f} of a core",
            "cores",
        ),
        *_above(
            figures,
            "schedule_delay_p95_s",
            rules.schedule_delay_p95_s,
            "invalid.schedule_delay",
            lambda v: f"messages left {v * 1000:.1f} ms late (p95): the generator's fault",
            "s",
        ),
    ]
    target_cores = figures.get("target_cores")
    had_cpu_left = target_cores is None or target_cores < rules.idle_target_cores_share * facts.budget_cores
    if had_cpu_left:
        reasons += _above(
            figures,
            "model_lag_p99_s",
            rules.model_lag_p99_s,
            "invalid.model_lag",
            lambda v: f"the model sent its tokens {v * 1000:.1f} ms late (p99)",
            "s",
        )
    return reasons


def doubts_of_a_pass(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    reasons: list[Reason] = []
    if facts.stopped_early:
        text = "it was stopped as certain to fail, but the turns it made met the objective"
        reasons.append(Reason(code="invalid.stopped", text=text))
    if facts.sign_in_failures:
        text = f"{facts.sign_in_failures} users could not open their session: less load than stated"
        reasons.append(Reason(code="invalid.sign_in", text=text, value=float(facts.sign_in_failures), limit=0.0))
    return reasons + _not_offered(figures, facts, rules)


def unsteadiness(figures: Figures, rules: Validity) -> list[Reason]:
    reasons: list[Reason] = []
    for name, label in (("turn_half", "mean turn time"), ("live_half", "live streams")):
        difference, error = figures.get(f"{name}_difference_ratio"), figures.get(f"{name}_error_ratio")
        if difference is None:
            continue
        allowed = max(rules.half_difference_ratio, rules.half_difference_standard_errors * (error or 0.0))
        if abs(difference) > allowed:
            text = f"no steady state: {label} differs by {abs(difference):.0%} between the window's halves"
            reasons.append(
                Reason(code="invalid.unsteady", text=text, value=abs(difference), limit=allowed, unit="ratio")
            )
    return reasons


def _not_offered(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    offered = figures.get("offered_ratio")
    if facts.spare_cpus or offered is None or offered >= rules.offered_ratio:
        return []
    text = f"only {offered:.1%} of the intended load was offered"
    return [Reason(code="invalid.offered", text=text, value=offered, limit=rules.offered_ratio, unit="ratio")]
