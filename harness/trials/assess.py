"""From what was observed to figures and a verdict."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.analysis import chat_figures, workload_figures
from harness.analysis.facts import Facts
from harness.analysis.resource_figures import idle_figures, resource_figures
from harness.analysis.validity import Validity
from harness.analysis.verdict import judge, judge_exploratory, judge_idle
from harness.probes import contract
from harness.records import (
    Finding,
    GeneratorSummary,
    Reason,
    Slo,
    TrialKey,
    Verdict,
)

if TYPE_CHECKING:
    import pandas as pd
from harness.trials.context import TrialContext
from harness.trials.plans import CHECK_TURNS


def audit_verdict(findings: list[Finding], ended: list[str], stumbled: str = "") -> Verdict:
    """Return pass for an audit that was carried through, whatever it found; fail where something died of it.

    ``stumbled`` says why it was not carried through.
    """
    if ended:
        return Verdict(outcome="fail", reasons=tuple(Reason(code="target.exit", text=text) for text in ended))
    if not findings:
        return Verdict(outcome="invalid", reasons=(Reason(code="invalid.audit", text=stumbled or "nothing was tried"),))
    return Verdict(outcome="pass")


def with_contract(verdict: Verdict, checks: list[contract.Check], *, expected: bool) -> Verdict:
    """Return a check's verdict with what the operations showed; none tried where some should be is a fail."""
    broken = tuple(Reason(code="check.contract", text=f"{c.operation}: {c.text}") for c in checks if not c.passed)
    if expected and not checks:
        broken = (Reason(code="check.contract", text="no operation of the contract was tried"),)
    return Verdict(outcome="fail", reasons=(*verdict.reasons, *broken)) if broken else verdict


def _assess(
    bench: TrialContext, key: TrialKey, summary: GeneratorSummary | None, facts: Facts, folder: Path, ended: bool
) -> tuple[dict[str, float | None], Verdict]:
    profile = bench.profile
    if summary and summary.not_offered:
        return {}, Verdict(outcome="invalid", reasons=(Reason(code="invalid.not_offered", text=summary.not_offered),))
    if summary is None or not ended or "measure" not in summary.phases:
        return {}, _without_summary(facts, summary, profile.slo, ended)
    turns, resources = results.read_turns(folder), results.read_resources(folder)
    if key.scenario == "idle":
        wanted = profile.idle.steps if profile.idle else ()
        verdict = _idle_verdict(facts, summary, wanted, resources, bench.validity)
        return idle_figures(resources, summary.steps), verdict
    numbers = chat_figures.chat_figures(turns, resources, summary, profile.slo)
    if key.scenario == "check":
        return numbers, _check_verdict(facts, numbers)
    if key.scenario == "visit":
        numbers |= workload_figures.visit_figures(numbers, summary)
        return numbers, _visits_verdict(numbers, facts, bench.validity)
    if key.scenario == "spike" and profile.spike:
        numbers |= workload_figures.spike_figures(turns, summary, profile.slo, profile.spike.window_s)
        return numbers, judge_exploratory(numbers, facts, bench.validity)
    if key.scenario == "soak" and profile.soak:
        numbers |= workload_figures.soak_figures(turns, resources, summary, profile.soak.block_s)
    return numbers, judge(numbers, facts, profile.slo, bench.validity, steady=key.scenario != "soak")


def _without_summary(facts: Facts, summary: GeneratorSummary | None, slo: Slo, ended: bool) -> Verdict:
    if facts.target_exits or facts.oom_kills or facts.model_exits:
        return judge({}, facts, slo)
    if facts.generator_faults:
        faults = (Reason(code="invalid.generator", text=text) for text in facts.generator_faults)
        return Verdict(outcome="invalid", reasons=tuple(faults))
    text = "the generator ended without its account" if summary is None else "the trial ended before it measured"
    text = text if ended else "the generator did not end in its time"
    return Verdict(outcome="invalid", reasons=(Reason(code="invalid.generator", text=f"{text}; see its log"),))


def _idle_verdict(
    facts: Facts, summary: GeneratorSummary, wanted: tuple[int, ...], resources: "pd.DataFrame", rules: Validity
) -> Verdict:
    steps = summary.steps
    machine = resource_figures(resources, steps[0].start_s, steps[-1].end_s) if steps else {}
    lost = None
    if facts.sign_in_failures or tuple(s.sessions for s in steps) != wanted:
        lost = f"{facts.sign_in_failures} sessions did not open; steps reached: {[s.sessions for s in steps]}"
    return judge_idle(machine, facts, lost, rules)


def _visits_verdict(numbers: dict[str, float | None], facts: Facts, rules: Validity) -> Verdict:
    verdict = judge_exploratory(numbers, replace(facts, turns_needed=1), rules)
    if verdict.outcome != "pass" or numbers.get("visits_ok"):
        return verdict
    text = f"none of {numbers.get('visits_failed') or 0:.0f} visits came to its end"
    return Verdict(outcome="fail", reasons=(Reason(code="target.visits", text=text),))


def _check_verdict(facts: Facts, numbers: dict[str, float | None]) -> Verdict:
    if facts.target_exits or facts.oom_kills or facts.model_exits:
        return judge({}, facts, Slo())
    if (numbers.get("ok") or 0) >= CHECK_TURNS and not numbers.get("failed"):
        return Verdict(outcome="pass")
    text = f"{numbers.get('ok') or 0:.0f} of {CHECK_TURNS} first turns were answered"
    return Verdict(outcome="fail", reasons=(Reason(code="check.turns", text=text),))
