"""Pass, fail or invalid: what a trial's figures mean. Decides only; touches nothing."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from harness.records import Reason, Verdict

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """ "No significant slowdown": all thresholds hold at once (measurement method, default SLO)."""

    added_ttft_p95_s: float = 0.5
    lateness_p95_s: float = 0.5
    added_stall_p95_s: float = 0.25
    failure_ratio: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a measurement cannot be trusted."""

    generator_cores: float = 0.8
    schedule_delay_p95_s: float = 0.010
    upstream_lag_p99_s: float = 0.005
    foreign_cpu_ratio: float = 0.05
    steal_ratio: float = 0.05
    little_error_ratio: float = 0.01
    little_error_s_per_turn: float = 0.005  # what reading the clock twice in a busy loop takes; 1 % of half a second
    half_difference_ratio: float = 0.10
    half_difference_standard_errors: float = 3.0
    offered_ratio: float = 0.98
    contended_host_busy_ratio: float = 0.90
    idle_target_cores_share: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a trial showed besides its figures."""

    spare_cpus: bool
    budget_cores: int
    stopped_early: bool
    target_exits: tuple[str, ...] = ()  # components of the target that ended by themselves, in words
    upstream_exits: tuple[str, ...] = ()
    oom_kills: int = 0
    foreign_nonces: int = 0
    turns_needed: int = 100
    sign_in_failures: int = 0
    recorder_errors: int = 0
    generator_faults: tuple[str, ...] = ()  # of several workers: what does not fit together, in words
    commonest_failure: str | None = None  # of turns that were not answered, in words
    waited_s: float | None = None  # for an answer, by users who did little else while measuring; None: they did not
    direct: bool = False  # no application: generator and upstream are what is tried


_LABELS: dict[str, tuple[str, float, str]] = {
    "added_ttft_p95_s": ("p95 of the time added before the first token", 1000, "ms"),
    "lateness_p95_s": ("p95 of the tokens' lateness", 1000, "ms"),
    "added_stall_p95_s": ("p95 of the added stall", 1000, "ms"),
    "failure_ratio": ("failed or unfinished turns", 100, "%"),
}


def carried_through(figures: Figures, facts: Facts, validity: Validity | None = None) -> Verdict:
    """Return pass for a trial that is made to show what happens, whatever it showed; fail where the target died of it.

    What could have made the target look worse makes it invalid, as in any trial.
    """
    if facts.upstream_exits:
        return judge(figures, facts, Slo(), validity)
    if deaths := _deaths(facts):
        return Verdict(outcome="fail", reasons=tuple(deaths))
    invalid = _untrustworthy(figures, facts, validity or Validity())
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
    if facts.upstream_exits:
        return Verdict(
            outcome="invalid", reasons=tuple(Reason(code="invalid.upstream", text=t) for t in facts.upstream_exits)
        )
    deaths = _deaths(facts)
    invalid = _untrustworthy(figures, facts, rules)
    misses = [
        *_hung(figures, facts),
        *_misses(figures, slo, facts.commonest_failure),
        *(_tools_spent(figures, facts, rules) if facts.direct else ()),
    ]
    if deaths:
        return Verdict(outcome="fail", reasons=(*deaths, *misses))
    if invalid:
        return Verdict(outcome="invalid", reasons=tuple(invalid))
    if misses:
        busy = figures.get("host_busy_ratio")
        contended = not facts.spare_cpus and busy is not None and busy > rules.contended_host_busy_ratio
        whose = "had no CPUs but the budget's" if facts.direct else "shared the target's CPUs"
        note = (
            Reason(
                code="note.contended",
                text=f"generator and upstream {whose} and the machine was busy: a lower bound only",
                value=busy,
                limit=rules.contended_host_busy_ratio,
                unit="ratio",
            ),
        )
        return Verdict(outcome="fail", reasons=(*misses, *(note if contended else ())), contended=contended)
    doubts = [*_absent(figures), *_doubtful_pass(figures, facts, rules), *(_unsteady(figures, rules) if steady else ())]
    if doubts:
        return Verdict(outcome="invalid", reasons=tuple(doubts))
    return Verdict(outcome="pass")


def held_open(figures: Figures, facts: Facts, sessions_lost: str | None, validity: Validity | None = None) -> Verdict:
    """Return the verdict of a trial that holds sessions open while nobody speaks: its memory and CPU are its result.

    ``sessions_lost`` says in words which sessions were not there; ``figures`` are those of the machine meanwhile.
    """
    if facts.upstream_exits:
        return judge({}, facts, Slo())
    if deaths := _deaths(facts):
        return Verdict(outcome="fail", reasons=tuple(deaths))
    lost = [Reason(code="invalid.sessions", text=sessions_lost)] if sessions_lost else []
    if invalid := [*lost, *_disturbed(figures, facts, validity or Validity()), *_absent(figures, MACHINE)]:
        return Verdict(outcome="invalid", reasons=tuple(invalid))
    return Verdict(outcome="pass")


def without_budget(shortfall: str) -> Verdict:
    """Return the verdict of any trial whose target did not have the stated budget."""
    text = f"the target did not have the stated budget: {shortfall}"
    return Verdict(outcome="invalid", reasons=(Reason(code="invalid.budget", text=text),))


def _deaths(facts: Facts) -> list[Reason]:
    reasons = []
    if facts.oom_kills:
        reasons.append(
            Reason(
                code="target.oom",
                text=f"the kernel killed {facts.oom_kills} of its processes at the memory limit",
                value=float(facts.oom_kills),
                limit=0.0,
                unit="kills",
            )
        )
    reasons += [Reason(code="target.exit", text=text) for text in facts.target_exits]
    return reasons


def _hung(figures: Figures, facts: Facts) -> list[Reason]:
    """Return what can be said of a target that let its users wait, so that too few turns came together."""
    turns = figures.get("turns") or 0.0
    if facts.waited_s is None or facts.direct or turns >= facts.turns_needed:
        return []
    text = f"no answer came within {facts.waited_s:.3g} s: nearly all users only waited, and {turns:.0f} turns began"
    return [Reason(code="target.unanswered", text=text, value=facts.waited_s, unit="s")]


def _misses(figures: Figures, slo: Slo, commonest_failure: str | None = None) -> list[Reason]:
    reasons = []
    for name, (label, scale, unit) in _LABELS.items():
        value, limit = figures.get(name), getattr(slo, name)
        if value is None and figures.get("incomplete"):
            text = f"{label}: unfinished turns leave it beyond any bound, allowed {limit * scale:g} {unit}"
            reasons.append(Reason(code=f"slo.{name}", text=text, value=None, limit=limit, unit="s"))
        elif value is not None and value > limit:
            mostly = f", mostly {commonest_failure}" if name == "failure_ratio" and commonest_failure else ""
            text = f"{label} {value * scale:.4g} {unit}{mostly}, allowed {limit * scale:g} {unit}"
            reasons.append(
                Reason(code=f"slo.{name}", text=text, value=value, limit=limit, unit="s" if unit == "ms" else "ratio")
            )
    return reasons


MACHINE = ("foreign_cpu_ratio", "steal_ratio")
NEEDED = (
    "added_ttft_p95_s",
    "lateness_p95_s",
    "failure_ratio",
    *MACHINE,
    "little_error_ratio",
    "little_error_s_per_turn",
)


def _absent(figures: Figures, needed: tuple[str, ...] = NEEDED) -> list[Reason]:
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


def _disturbed(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
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


def _untrustworthy(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    reasons = _disturbed(figures, facts, rules)
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
        text = f"{unmatched:.0f} answers are missing from the upstream's log"
        reasons.append(Reason(code="invalid.unmatched", text=text, value=unmatched, limit=0.0, unit="turns"))
    turns = figures.get("turns") or 0.0
    if turns < facts.turns_needed and not facts.stopped_early and not _hung(figures, facts):
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
    if facts.spare_cpus and not facts.direct:
        reasons += _late_tools(figures, facts, rules)
    return reasons


def _tools_spent(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    """Return what shows generator and upstream at their limit: without an application that is a fail, not a flaw."""
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
            "upstream_lag_p99_s",
            rules.upstream_lag_p99_s,
            "invalid.upstream_lag",
            lambda v: f"the upstream sent its tokens {v * 1000:.1f} ms late (p99)",
            "s",
        )
    return reasons


def _doubtful_pass(figures: Figures, facts: Facts, rules: Validity) -> list[Reason]:
    reasons: list[Reason] = []
    if facts.stopped_early:
        text = "it was stopped as certain to fail, but the turns it made met the objective"
        reasons.append(Reason(code="invalid.stopped", text=text))
    if facts.sign_in_failures:
        text = f"{facts.sign_in_failures} users could not open their session: less load than stated"
        reasons.append(Reason(code="invalid.sign_in", text=text, value=float(facts.sign_in_failures), limit=0.0))
    return reasons + _not_offered(figures, facts, rules)


def _unsteady(figures: Figures, rules: Validity) -> list[Reason]:
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


def certainly_failing(violations: int, turns_possible: float, share: float = 0.05) -> bool:
    """Return whether an overloaded trial's verdict can no longer change.

    A 95th percentile is above its threshold once more than 5 % of all turns the window can hold violate it.
    """
    return violations > share * turns_possible + 1
