"""One trial: target × scenario × level × repetition, from a fresh start to a stopped target."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from harness import results
from harness.analysis import unanswered
from harness.analysis.facts import Facts
from harness.analysis.verdict import invalid_budget
from harness.errors import BenchError
from harness.probes import audit, contract
from harness.records import (
    LoadPlan,
    Profile,
    Trial,
    TrialKey,
    Turn,
    to_json,
)
from harness.runtimes.protocol import (
    GENERATOR,
    MESSAGES_PER_MINUTE,
    UNLIMITED_PER_MINUTE,
    Pod,
    Prepared,
    Stack,
)
from harness.runtimes.sampler import Sampler
from harness.trials import accounts, generator
from harness.trials.plans import TURNS_NEEDED

if TYPE_CHECKING:
    pass
from harness.trials.assess import _assess, audit_verdict, with_contract
from harness.trials.context import TrialContext
from harness.trials.plans import CHECK_TURNS, plan_for, workers_for
from harness.trials.subject import subject

CHECKED = ("rest", "forms", "streamlit", "openai")  # protocols whose contract can be tried


def run_trial(bench: TrialContext, prepared: Prepared, key: TrialKey) -> Trial:
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
            return _audit(bench, prepared, key, pod, launched, folder, started_at)
        launched = pod.launch(prepared, bench.profile.answer, UNLIMITED_PER_MINUTE)
        plan = plan_for(key, bench.profile, prepared, launched.instances, folder)
        plan = replace(plan, workers=workers_for(key, bench.workers))
        return _measure(bench, prepared, key, pod, plan, launched, folder, started_at)


def _audit(
    bench: TrialContext, prepared: Prepared, key: TrialKey, pod: Pod, launched: Stack, folder: Path, started_at: str
) -> Trial:
    """Try what is not load: no generator, no samples, and the rate limit of every day."""
    bench.tell("auditing", None)
    found, stumbled = [], ""
    try:
        found = audit.audit_in(pod, subject(prepared, launched, MESSAGES_PER_MINUTE))
    except BenchError as error:  # costs this trial, never the campaign
        stumbled = _ends_of(error.message)
    limits, components = pod.limits(), pod.components()
    ended = [f"{name} ended by itself with {code} during the audit" for name, code in pod.exited()]
    pod.stop()
    trial = Trial(
        key=key,
        started_at=started_at,
        limits=limits,
        components=components,
        summary=None,
        verdict=audit_verdict(found, ended, stumbled),
        figures={},
        files=results.write_audit(folder, found),
    )
    (folder / "emissions.jsonl").unlink(missing_ok=True)
    results.write_trial(folder, trial)
    return trial


def _ends_of(message: str) -> str:
    """Return the first and the last line of a message: what was done, and what it ended with."""
    first, *rest = message.splitlines()
    return " ".join([first, *(line.strip() for line in rest[-1:])])


def _measure(
    bench: TrialContext,
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
    checks = contract.check_in(pod, subject(prepared, launched, None)) if key.scenario == "check" and not lost else []
    limits, components = pod.limits(), pod.components()
    roles = {component.name: component.role for component in components}
    ended_alone = [(roles[name], f"{name} ended by itself with {code}") for name, code in pod.exited()]
    exits = tuple(text for role, text in ended_alone if role == "target")
    # Without groups of our own the count is the whole machine's: it means something only where a process was lost.
    oom_kills = pod.oom_kills() if limits.memory_enforced or exits else 0
    gathered = accounts.gather(folder, plan)
    summary, turns = gathered.summary, gathered.turns
    waited_s = unanswered.waited_s(turns, summary, plan.answer) if summary else None
    if waited_s is not None and (silent := pod.model_silent(launched)):  # then it is what all waited for
        ended_alone.append(("model", f"the model did not answer either: {silent}"))
    pod.stop()
    emissions = results.read_emissions(launched.model_log)
    files = results.write_samples(
        folder, turns, emissions, sampler.samples, from_intended=plan.arrivals_per_s is not None
    )
    facts = Facts(
        spare_cpus=limits.spare_cpus,
        budget_cores=len(limits.cpus),
        stopped_early=bool(summary and summary.stopped_early),
        target_exits=exits,
        model_exits=tuple(text for role, text in ended_alone if role == "model"),
        oom_kills=oom_kills,
        foreign_nonces=sum(t.error_kind == "foreign_nonce" for t in turns),
        turns_needed=min(plan.measure_turns, TURNS_NEEDED),
        sign_in_failures=summary.sign_in_failures if summary else 0,
        recorder_errors=summary.recorder_errors if summary else 0,
        generator_faults=gathered.faults,
        commonest_failure=unanswered.commonest(turns),
        waited_s=waited_s,
        no_app=prepared.target.no_app,
    )
    numbers, verdict = _assess(bench, key, summary, facts, folder, ended)
    if key.scenario == "check":
        numbers["cold_start_s"] = None if prepared.target.no_app else _cold_start_s(launched.ready_after_s, turns)
        results.write_json(folder / "checks.json", {"checks": [to_json(one) for one in checks]})
        verdict = with_contract(verdict, checks, expected=prepared.target.protocol in CHECKED and not lost)
    if limits.shortfall:
        verdict = invalid_budget(limits.shortfall)
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


def _cold_start_s(ready_after_s: float, turns: list[Turn]) -> float | None:
    """From launching the target to its first answered turn, without the time the generator took to start."""
    first = next((t for t in turns if t.outcome == "ok" and t.done_s is not None), None)
    return None if first is None or first.done_s is None else ready_after_s + first.done_s - first.sent_s


def require_passed_check(trial: Trial) -> None:
    """Raise BenchError where the check of a target failed: nothing measured of it would mean anything."""
    if trial.verdict.outcome != "pass":
        reasons = "; ".join(r.text for r in trial.verdict.reasons)
        if trial.limits.shortfall:
            raise BenchError(f"{trial.key.target}: {reasons}", "`chatbench doctor` says what can be enforced here")
        raise BenchError(
            f"{trial.key.target} does not answer as it should: {reasons}",
            f"try it by hand: chatbench serve {trial.key.target}; or every check: chatbench check {trial.key.target}",
        )
