"""From what was observed to figures and a verdict."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness import results
from harness.analysis import chat_figures, unanswered, workload_figures
from harness.analysis.facts import Facts
from harness.analysis.narrow import excused
from harness.analysis.resource_figures import idle_figures, resource_figures
from harness.analysis.slo import turns_possible
from harness.analysis.validity import Validity, disturbances
from harness.analysis.verdict import (
    invalid_budget,
    judge,
    judge_exploratory,
    judge_idle,
    judge_unsettled,
    lacked_memory,
)
from harness.probes import contract
from harness.records import (
    Finding,
    GeneratorSummary,
    Profile,
    Reason,
    Slo,
    Turn,
    Verdict,
)
from harness.trials.observe import CUT, Observation
from harness.trials.plans import CHECK_TURNS, TURNS_NEEDED

if TYPE_CHECKING:
    import pandas as pd

#: of the machine, without *measure*
UNSETTLED = ("target_cores", "host_busy_ratio", "steal_ratio", "foreign_cpu_ratio", "throttled_s")
CHECKED = ("rest", "forms", "streamlit", "openai")  # protocols whose contract can be tried
Figures = dict[str, float | None]


def audit_verdict(
    findings: list[Finding], ended: list[str], stumbled: str = "", lacked: Sequence[Reason] = ()
) -> Verdict:
    """Return pass for an audit that was carried through, with any findings; fail where something died of it.

    ``stumbled`` says why it was not carried through, ``lacked`` that the machine's memory did not last.
    """
    if lacked:
        return Verdict(outcome="invalid", reasons=tuple(lacked))
    if ended:
        return Verdict(outcome="fail", reasons=tuple(Reason(code="target.exit", text=text) for text in ended))
    if not findings:
        return Verdict(outcome="invalid", reasons=(Reason(code="invalid.audit", text=stumbled or "nothing was tried"),))
    return Verdict(outcome="pass")


def with_contract(verdict: Verdict, checks: Sequence[contract.Check], *, expected: bool) -> Verdict:
    """Return a check's verdict with what the operations showed; none tried where some should be is a fail."""
    broken = tuple(Reason(code="check.contract", text=f"{c.operation}: {c.text}") for c in checks if not c.passed)
    if expected and not checks:
        broken = (Reason(code="check.contract", text="no operation of the contract was tried"),)
    return Verdict(outcome="fail", reasons=(*verdict.reasons, *broken)) if broken else verdict


def assess(seen: Observation, profile: Profile, rules: Validity) -> tuple[Figures, Verdict]:
    """Return a trial's figures and its verdict."""
    facts = facts_of(seen)
    figures, verdict = _of_scenario(seen, facts, profile, rules)
    if seen.key.scenario == "check":
        figures["cold_start_s"] = None if seen.no_app else _cold_start_s(seen.ready_after_s, seen.turns)
        lacked = lacked_memory(facts.oom_kills, facts.limit_reached)
        checks = () if lacked else seen.checks  # they may have failed for the kill alone
        verdict = with_contract(verdict, checks, expected=seen.protocol in CHECKED and not facts.died)
    if seen.limits.shortfall:
        return figures, invalid_budget(seen.limits.shortfall)
    return figures, excused(verdict, seen.limits, seen.summary.users if seen.summary else seen.key.level)


def facts_of(seen: Observation) -> Facts:
    """Return what the rules of a verdict ask besides figures."""
    summary = seen.summary
    limits = unanswered.own_limits(seen.turns, summary)
    return Facts(
        spare_cpus=seen.limits.spare_cpus,
        budget_cores=len(seen.limits.cpus),
        stopped_early=bool(summary and summary.stopped_early),
        target_exits=seen.exits_of("target"),
        model_exits=seen.exits_of("model"),
        oom_kills=seen.oom_kills,
        limit_reached=seen.limit_reached,
        foreign_nonces=sum(turn.error_kind == "foreign_nonce" for turn in seen.turns),
        lost_tags=unanswered.lost_tags(seen.turns, seen.plan.seed),
        turns_needed=min(seen.plan.measure_turns, TURNS_NEEDED),
        sign_in_failures=summary.sign_in_failures if summary else 0,
        recorder_errors=summary.recorder_errors if summary else 0,
        own_limits=limits.total(),
        own_limit=next((words for words, _ in limits.most_common(1)), None),
        generator_faults=seen.gathered.faults,
        commonest_failure=_commonest_failure(seen),
        waited_s=seen.waited_s,
        no_app=seen.no_app,
    )


def _commonest_failure(seen: Observation) -> str | None:
    failure = unanswered.commonest(seen.turns)
    return f"{failure} ({seen.logged_limit})" if failure and seen.logged_limit else failure


def _of_scenario(seen: Observation, facts: Facts, profile: Profile, rules: Validity) -> tuple[Figures, Verdict]:
    summary, scenario = seen.summary, seen.key.scenario
    if summary and summary.not_offered:
        return {}, Verdict(outcome="invalid", reasons=(Reason(code="invalid.not_offered", text=summary.not_offered),))
    if summary and summary.unsettled and seen.in_time:
        there = summary.phases["warm_up"]
        used = resource_figures(results.read_resources(seen.folder), there.start_s, there.end_s)
        turns = results.read_turns(seen.folder)
        kept: Figures = {name: used[name] for name in UNSETTLED}
        kept |= chat_figures.lateness_of_tools(turns[turns["phase"] == "warm_up"])
        return kept, judge_unsettled(summary.unsettled, kept, facts, rules)
    if summary is None or not seen.in_time or "measure" not in summary.phases:
        return {}, _without_summary(facts, summary, profile.slo, seen.in_time)
    turns, resources = results.read_turns(seen.folder), results.read_resources(seen.folder)
    if scenario == "idle":
        steps = profile.idle.steps if profile.idle else ()
        return idle_figures(resources, summary.steps), _idle_verdict(facts, summary, steps, resources, rules)
    calls = results.read_calls(seen.folder)
    figures = chat_figures.chat_figures(
        turns,
        resources,
        summary,
        profile.slo,
        calls,
        possible=turns_possible(seen.plan) if scenario in CUT else None,
        climb_s=seen.plan.climb_s,
    )
    if scenario == "climb":
        return figures, judge_exploratory(figures, facts, rules)
    if scenario == "check":
        return figures, _check_verdict(facts, figures)
    if scenario == "visit":
        figures |= workload_figures.visit_figures(figures, summary)
        return figures, _visits_verdict(figures, facts, rules)
    if scenario == "spike" and profile.spike:
        figures |= workload_figures.spike_figures(turns, summary, profile.slo, profile.spike.window_s)
        return figures, judge_exploratory(figures, facts, rules)
    if scenario == "soak" and profile.soak:
        figures |= workload_figures.soak_figures(turns, resources, summary, profile.soak.block_s)
    return figures, judge(figures, facts, profile.slo, rules, steady=scenario != "soak")


def _cold_start_s(ready_after_s: float, turns: Sequence[Turn]) -> float | None:
    """From launching the target to its first answered turn, without the time the generator took to start."""
    first = next((t for t in turns if t.outcome == "ok" and t.done_s is not None), None)
    return None if first is None or first.done_s is None else ready_after_s + first.done_s - first.sent_s


def _without_summary(facts: Facts, summary: GeneratorSummary | None, slo: Slo, ended: bool) -> Verdict:
    if facts.died:
        return judge({}, facts, slo)
    if facts.generator_faults:
        faults = (Reason(code="invalid.generator", text=text) for text in facts.generator_faults)
        return Verdict(outcome="invalid", reasons=tuple(faults))
    silent = "the load generator exited before writing generator.json"
    text = silent if summary is None else "the trial ended before it measured"
    text = text if ended else "the load generator did not end in its time"
    reason = Reason(code="invalid.generator", text=f"{text}; see logs/generator.log")
    return Verdict(outcome="invalid", reasons=(reason,))


def _idle_verdict(
    facts: Facts, summary: GeneratorSummary, wanted: tuple[int, ...], resources: "pd.DataFrame", rules: Validity
) -> Verdict:
    steps = summary.steps
    machine = resource_figures(resources, steps[0].start_s, steps[-1].end_s) if steps else {}
    lost = None
    if facts.sign_in_failures or tuple(s.sessions for s in steps) != wanted:
        lost = f"{facts.sign_in_failures} sessions did not open; steps reached: {[s.sessions for s in steps]}"
    return judge_idle(machine, facts, lost, rules)


def _visits_verdict(numbers: Figures, facts: Facts, rules: Validity) -> Verdict:
    verdict = judge_exploratory(numbers, replace(facts, turns_needed=1), rules)
    if verdict.outcome != "pass" or numbers.get("visits_ok"):
        return verdict
    text = f"none of {numbers.get('visits_failed') or 0:.0f} visits came to its end"
    return Verdict(outcome="fail", reasons=(Reason(code="target.visits", text=text),))


def _check_verdict(facts: Facts, numbers: Figures) -> Verdict:
    if facts.died:
        return judge({}, facts, Slo())
    if (numbers.get("ok") or 0) >= CHECK_TURNS and not numbers.get("failed"):
        return Verdict(outcome="pass")
    if facts.own_limits:
        return Verdict(outcome="invalid", reasons=tuple(disturbances({}, facts, Validity())))
    mostly = f", mostly {facts.commonest_failure}" if facts.commonest_failure else ""
    text = f"{numbers.get('ok') or 0:.0f} of {CHECK_TURNS} first turns were answered{mostly}"
    return Verdict(outcome="fail", reasons=(Reason(code="check.turns", text=text),))
