"""One trial: target × scenario × level × repetition, from a fresh start to a stopped target."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.analysis import chat_figures, unanswered, workload_figures
from harness.analysis.facts import Facts
from harness.analysis.validity import Validity
from harness.analysis.verdict import carried_through, held_open, judge, without_budget
from harness.errors import BenchError
from harness.probes import contract
from harness.records import (
    Distribution,
    Finding,
    GeneratorSummary,
    LoadPlan,
    Profile,
    Reason,
    Slo,
    Trial,
    TrialKey,
    Turn,
    Verdict,
    think_scenario,
    to_json,
)
from harness.runtimes import GENERATOR, MESSAGES_PER_MINUTE, UNLIMITED_PER_MINUTE, Pod, Prepared, Runtime, Stack
from harness.runtimes.sampler import Sampler
from harness.trials import accounts, generator

if TYPE_CHECKING:
    import pandas as pd

CHECK_TURNS = 2
CHECKED = ("rest", "forms", "streamlit", "openai")  # protocols whose contract can be tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where and how trials are run."""

    run: Path
    runtime: Runtime
    profile: Profile
    tell: Callable[[str, generator.Live | None], None]
    validity: Validity = field(default_factory=Validity)
    workers: int = 1  # generator processes, where there is load


def plan_for(key: TrialKey, profile: Profile, prepared: Prepared, instances: tuple[str, ...], folder: Path) -> LoadPlan:
    """Return the generator's plan for a trial of any scenario."""
    thought = {think_scenario(think_s): think_s for think_s in profile.search.further_think_s}
    if key.scenario in thought:
        profile = profile.thinking(thought[key.scenario])
    plan = generator.chat_plan(
        profile,
        protocol=prepared.target.protocol,
        user_class=prepared.target.user_class,
        instances=instances,
        users=key.level,
        folder=folder,
        seed=prepared.seed,
    )
    if key.scenario.partition("-")[0] == "open":
        return generator.open_plan(plan, profile, key.level)
    if key.scenario == "visit" and profile.visit:
        return generator.visit_plan(plan, profile.visit)
    if key.scenario == "spike" and profile.spike:
        return generator.spike_plan(plan, profile.spike)
    if key.scenario == "soak" and profile.soak:
        return generator.soak_plan(plan, profile.soak)
    if key.scenario == "idle" and profile.idle:
        return replace(plan, scenario="idle", steps=profile.idle.steps, hold_s=profile.idle.hold_s)
    if key.scenario == "check":
        return replace(
            plan,
            think_s=Distribution(median=0.1),
            ramp_up_s=0.0,
            warm_up_s=0.0,
            measure_min_s=0.0,
            measure_turns=CHECK_TURNS,
            measure_max_s=30.0,
        )
    return plan


def workers_for(key: TrialKey, wanted: int) -> int:
    """Return how many generator processes a trial has: never more than users, and one but for closed workloads.

    Sessions that open in turn, arrivals met by one pool, a spike's further users and visits are one process's account.
    """
    closed = key.scenario in ("chat", "soak") or key.scenario.startswith("think-")
    return min(wanted, key.level) if closed else 1


def run_trial(bench: Bench, prepared: Prepared, key: TrialKey) -> Trial:
    """Run one trial and write its folder, ``trial.json`` last.

    Raises:
        BenchError: the target does not come up, or the generator cannot be run at all.
    """
    folder = results.trial_folder(bench.run, key)
    shutil.rmtree(folder, ignore_errors=True)  # left by a campaign that was cut off
    folder.mkdir(parents=True)
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    bench.tell("starting", None)
    with bench.runtime.open_trial(f"{results.slug(key.target)}-{key.scenario}-{key.number}", folder) as pod:
        if key.scenario == "audit":
            launched = pod.launch(prepared, bench.profile.answer, MESSAGES_PER_MINUTE)
            return _audit(bench, key, pod, launched, folder, started_at)
        launched = pod.launch(prepared, bench.profile.answer, UNLIMITED_PER_MINUTE)
        plan = plan_for(key, bench.profile, prepared, launched.instances, folder)
        plan = replace(plan, workers=workers_for(key, bench.workers))
        return _measure(bench, prepared, key, pod, plan, launched, folder, started_at)


def _audit(bench: Bench, key: TrialKey, pod: Pod, launched: Stack, folder: Path, started_at: str) -> Trial:
    """Try what is not load: no generator, no samples, and the rate limit of every day."""
    bench.tell("auditing", None)
    found = pod.audit(launched, MESSAGES_PER_MINUTE)
    limits, components = pod.limits(), pod.components()
    ended = [f"{name} ended by itself with {code} during the audit" for name, code in pod.exited()]
    pod.stop()
    trial = Trial(
        key=key,
        started_at=started_at,
        limits=limits,
        components=components,
        summary=None,
        verdict=audit_verdict(found, ended),
        figures={},
        files=results.write_audit(folder, found),
    )
    (folder / "emissions.jsonl").unlink(missing_ok=True)
    results.write_trial(folder, trial)
    return trial


def audit_verdict(findings: list[Finding], ended: list[str]) -> Verdict:
    """Return pass for an audit that was carried through, whatever it found; fail where something died of it."""
    if ended:
        return Verdict(outcome="fail", reasons=tuple(Reason(code="target.exit", text=text) for text in ended))
    if not findings:
        return Verdict(outcome="invalid", reasons=(Reason(code="invalid.audit", text="nothing was tried"),))
    return Verdict(outcome="pass")


def _measure(
    bench: Bench,
    prepared: Prepared,
    key: TrialKey,
    pod: Pod,
    plan: LoadPlan,
    launched: Stack,
    folder: Path,
    started_at: str,
) -> Trial:
    pod.generate(plan)
    with Sampler(pod) as sampler:
        _, ended = generator.follow(pod, plan, bench.profile, lambda live: bench.tell(live.phase, live))
    lost = [name for name, _ in pod.exited() if name != GENERATOR]
    checks = pod.check(launched, None) if key.scenario == "check" and not lost else []
    limits, components = pod.limits(), pod.components()
    roles = {component.name: component.role for component in components}
    ended_alone = [(roles[name], f"{name} ended by itself with {code}") for name, code in pod.exited()]
    exits = tuple(text for role, text in ended_alone if role == "target")
    # Without groups of our own the count is the whole machine's: it means something only where a process was lost.
    oom_kills = pod.oom_kills() if limits.memory_enforced or exits else 0
    gathered = accounts.gather(folder, plan)
    summary, turns = gathered.summary, gathered.turns
    waited_s = unanswered.waited_s(turns, summary, plan.answer) if summary else None
    if waited_s is not None and (silent := pod.upstream_silent(launched)):  # then it is what all waited for
        ended_alone.append(("upstream", f"the model did not answer either: {silent}"))
    pod.stop()
    emissions = results.read_emissions(launched.upstream_log)
    files = results.write_samples(
        folder, turns, emissions, sampler.samples, from_intended=plan.arrivals_per_s is not None
    )
    facts = Facts(
        spare_cpus=limits.spare_cpus,
        budget_cores=len(limits.cpus),
        stopped_early=bool(summary and summary.stopped_early),
        target_exits=exits,
        upstream_exits=tuple(text for role, text in ended_alone if role == "upstream"),
        oom_kills=oom_kills,
        foreign_nonces=sum(t.error_kind == "foreign_nonce" for t in turns),
        turns_needed=min(plan.measure_turns, generator.TURNS_NEEDED),
        sign_in_failures=summary.sign_in_failures if summary else 0,
        recorder_errors=summary.recorder_errors if summary else 0,
        generator_faults=gathered.faults,
        commonest_failure=unanswered.commonest(turns),
        waited_s=waited_s,
        direct=prepared.target.direct,
    )
    numbers, verdict = _assess(bench, key, summary, facts, folder, ended)
    if key.scenario == "check":
        numbers["cold_start_s"] = None if prepared.target.direct else _cold_start_s(launched.ready_after_s, turns)
        results.write_json(folder / "checks.json", {"checks": [to_json(one) for one in checks]})
        verdict = with_contract(verdict, checks, expected=prepared.target.protocol in CHECKED and not lost)
    if limits.shortfall:
        verdict = without_budget(limits.shortfall)
    trial = Trial(
        key=key,
        started_at=started_at,
        limits=limits,
        components=components,
        summary=summary,
        verdict=verdict,
        figures=numbers,
        files=files,
    )
    lines = [f"{kind}{suffix}.jsonl" for kind in ("turns", "live") for suffix in accounts.suffixes(plan.workers)]
    for name in (*lines, "emissions.jsonl", "stop"):  # their content is in the Parquet files
        (folder / name).unlink(missing_ok=True)
    results.write_trial(folder, trial)
    return trial


def check_turns(pod: Pod, prepared: Prepared, launched: Stack, profile: Profile, folder: Path) -> list[contract.Check]:
    """Let a simulated person hold two turns and return how each went; the only check of a protocol that is not ours."""
    key = TrialKey(target=prepared.target.name, scenario="check", number=1, level=1, repetition=1)
    plan = plan_for(key, profile, prepared, launched.instances, folder)
    pod.generate(plan)
    generator.follow(pod, plan, profile, lambda _: None)
    log = folder / "turns.jsonl"
    turns = results.read_lines(Turn, log) if log.is_file() else []
    found = [
        contract.Check(
            operation="turn",
            passed=turn.outcome == "ok",
            text=f"a simulated person's message {n}: " + (turn.error or f"answered whole, in {turn.updates} updates"),
        )
        for n, turn in enumerate(turns[:CHECK_TURNS], start=1)
    ]
    missing = CHECK_TURNS - len(found)
    text = f"not held: see {folder / 'logs' / GENERATOR}.log"
    return found + [contract.Check(operation="turn", passed=False, text=text)] * missing


def with_contract(verdict: Verdict, checks: list[contract.Check], *, expected: bool) -> Verdict:
    """Return a check's verdict with what the operations showed; none tried where some should be is a fail."""
    broken = tuple(Reason(code="check.contract", text=f"{c.operation}: {c.text}") for c in checks if not c.passed)
    if expected and not checks:
        broken = (Reason(code="check.contract", text="no operation of the contract was tried"),)
    return Verdict(outcome="fail", reasons=(*verdict.reasons, *broken)) if broken else verdict


def _cold_start_s(ready_after_s: float, turns: list[Turn]) -> float | None:
    """From launching the target to its first answered turn, without the time the generator took to start."""
    first = next((t for t in turns if t.outcome == "ok" and t.done_s is not None), None)
    return None if first is None or first.done_s is None else ready_after_s + first.done_s - first.sent_s


def _assess(
    bench: Bench, key: TrialKey, summary: GeneratorSummary | None, facts: Facts, folder: Path, ended: bool
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
        return chat_figures.idle_figures(resources, summary.steps), verdict
    numbers = chat_figures.chat_figures(turns, resources, summary, profile.slo)
    if key.scenario == "check":
        return numbers, _check_verdict(facts, numbers)
    if key.scenario == "visit":
        numbers |= workload_figures.visit_figures(numbers, summary)
        return numbers, _visits_verdict(numbers, facts, bench.validity)
    if key.scenario == "spike" and profile.spike:
        numbers |= workload_figures.spike_figures(turns, summary, profile.slo, profile.spike.window_s)
        return numbers, carried_through(numbers, facts, bench.validity)
    if key.scenario == "soak" and profile.soak:
        numbers |= workload_figures.soak_figures(turns, resources, summary, profile.soak.block_s)
    return numbers, judge(numbers, facts, profile.slo, bench.validity, steady=key.scenario != "soak")


def _without_summary(facts: Facts, summary: GeneratorSummary | None, slo: Slo, ended: bool) -> Verdict:
    if facts.target_exits or facts.oom_kills or facts.upstream_exits:
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
    machine = chat_figures.resource_figures(resources, steps[0].start_s, steps[-1].end_s) if steps else {}
    lost = None
    if facts.sign_in_failures or tuple(s.sessions for s in steps) != wanted:
        lost = f"{facts.sign_in_failures} sessions did not open; steps reached: {[s.sessions for s in steps]}"
    return held_open(machine, facts, lost, rules)


def _visits_verdict(numbers: dict[str, float | None], facts: Facts, rules: Validity) -> Verdict:
    verdict = carried_through(numbers, replace(facts, turns_needed=1), rules)
    if verdict.outcome != "pass" or numbers.get("visits_ok"):
        return verdict
    text = f"none of {numbers.get('visits_failed') or 0:.0f} visits came to its end"
    return Verdict(outcome="fail", reasons=(Reason(code="target.visits", text=text),))


def _check_verdict(facts: Facts, numbers: dict[str, float | None]) -> Verdict:
    if facts.target_exits or facts.oom_kills or facts.upstream_exits:
        return judge({}, facts, Slo())
    if (numbers.get("ok") or 0) >= CHECK_TURNS and not numbers.get("failed"):
        return Verdict(outcome="pass")
    text = f"{numbers.get('ok') or 0:.0f} of {CHECK_TURNS} first turns were answered"
    return Verdict(outcome="fail", reasons=(Reason(code="check.turns", text=text),))


def answered(trial: Trial) -> None:
    """Raise BenchError where the check of a target failed: nothing measured of it would mean anything."""
    if trial.verdict.outcome != "pass":
        reasons = "; ".join(r.text for r in trial.verdict.reasons)
        if trial.limits.shortfall:
            raise BenchError(f"{trial.key.target}: {reasons}", "`chatbench doctor` says what can be enforced here")
        raise BenchError(
            f"{trial.key.target} does not answer as it should: {reasons}",
            f"try it by hand: chatbench serve {trial.key.target}; or every check: chatbench check {trial.key.target}",
        )
