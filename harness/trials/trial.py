"""One trial: target × scenario × level × repetition, from a fresh start to a stopped target."""

from pathlib import Path
from shlex import quote

from harness import results
from harness.analysis import speed
from harness.analysis.capacity import BUDGET_CPUS
from harness.analysis.verdict import lacked_memory
from harness.errors import BenchError
from harness.host import cpus
from harness.host.launch import last_lines
from harness.probes import audit, contract
from harness.records import Finding, FixedWork, MachineSpeed, Profile, Trial, TrialKey, Turn, Verdict, to_json
from harness.runtimes.protocol import GENERATOR, MESSAGES_PER_MINUTE, Pod, Prepared, Stack
from harness.trials import generator
from harness.trials.assess import Figures, assess, audit_verdict
from harness.trials.context import Begun, TrialContext, begin
from harness.trials.observe import Observation, killed, observe
from harness.trials.plans import CHECK_TURNS, plan_for
from harness.trials.refusals import refused_calls, unasked
from harness.trials.subject import subject

MACHINES_LIMITS = ("invalid.limits", "invalid.generator_limits", "invalid.machine_memory")
WITHOUT_LOAD = ("check", "audit", "idle")  # scenarios that the machine's speed says nothing of


def run_trial(context: TrialContext, prepared: Prepared, key: TrialKey) -> Trial:
    """Run one trial and write its folder, ``trial.json`` last.

    Raises:
        BenchError: the target does not come up, or the generator cannot be run at all.
    """
    begun = begin(context, prepared, key)
    if key.scenario == "audit":
        return _audited(begun)
    before = _fixed_work(begun)
    seen = observe(begun)
    after = _fixed_work(begun)
    figures, verdict = assess(seen, context.profile, context.validity)
    return write(seen, figures, verdict, MachineSpeed(before=before, after=after) if before and after else None)


def _fixed_work(begun: Begun) -> FixedWork | None:
    """Time the fixed work on the target's CPUs while nothing of the trial runs; None where a trial has no load."""
    time, scenario = begun.context.fixed_work, begun.key.scenario
    if time is None or scenario in WITHOUT_LOAD:
        return None
    begun.context.tell("timing the machine", None)
    split = cpus.split(cpus.physical_cores(cpus.usable()), BUDGET_CPUS)
    return time(begun.folder, split.target)


def write(seen: Observation, figures: Figures, verdict: Verdict, timed: MachineSpeed | None = None) -> Trial:
    """Write what a trial showed and what was made of it."""
    if timed and figures:
        figures = figures | {speed.NAME: speed.around(timed)}
    if seen.key.scenario == "check":
        results.write_json(seen.folder / "checks.json", {"checks": [to_json(one) for one in seen.checks]})
    trial = Trial(
        key=seen.key,
        started_at=seen.started_at,
        limits=seen.limits,
        components=seen.components,
        summary=seen.summary,
        verdict=verdict,
        figures=figures,
        files=seen.files,
        speed=timed,
    )
    results.write_trial(seen.folder, trial)
    return trial


def _audited(begun: Begun) -> Trial:
    """Run the audit: no generator, no samples, and the rate limit of every day."""
    with begun.open_pod() as pod:
        stack = pod.launch(begun.prepared, begun.context.profile.answer, MESSAGES_PER_MINUTE)
        begun.context.tell("auditing", None)
        findings, stumbled = _findings(pod, begun.prepared, stack)
        limits, components = pod.limits(), pod.components()
        ended = [f"{name} ended by itself with {code} during the audit" for name, code in pod.exited()]
        lacked = lacked_memory(*killed(pod, limits, lost=bool(ended)))
    trial = Trial(
        key=begun.key,
        started_at=begun.started_at,
        limits=limits,
        components=components,
        summary=None,
        verdict=audit_verdict(findings, ended, stumbled, lacked),
        figures={},
        files=results.write_audit(begun.folder, findings),
    )
    (begun.folder / "emissions.jsonl").unlink(missing_ok=True)
    results.write_trial(begun.folder, trial)
    return trial


def _findings(pod: Pod, prepared: Prepared, stack: Stack) -> tuple[list[Finding], str]:
    """Return what an audit found; nothing and the reason where it stumbled, which never costs the campaign."""
    try:
        return audit.audit_in(pod, subject(prepared, stack, MESSAGES_PER_MINUTE)), ""
    except BenchError as error:
        first, *rest = error.message.splitlines()  # what was done, and below it what it ended with
        return [], " ".join([first, *(line.strip() for line in rest[-1:])])


def check_turns(pod: Pod, prepared: Prepared, launched: Stack, profile: Profile, folder: Path) -> list[contract.Check]:
    """Let a virtual user hold two turns and return a check of each; a foreign protocol has no other check."""
    key = TrialKey(target=prepared.target.name, scenario="check", number=1, level=1, repetition=1)
    plan = plan_for(key, profile, prepared, launched.instances, folder)
    pod.generate(plan)
    generator.follow(pod, plan, profile, launched.model_log, lambda _: None, may_fail=False)
    log = folder / "turns.jsonl"
    turns = results.read_lines(Turn, log) if log.is_file() else []
    checks = [
        contract.Check(
            operation="turn",
            passed=turn.outcome == "ok",
            text=f"a virtual user's message {n}: " + (turn.error or f"answered whole, in {turn.updates} updates"),
        )
        for n, turn in enumerate(turns[:CHECK_TURNS], start=1)
    ]
    missing = CHECK_TURNS - len(checks)
    log = folder / "logs" / f"{GENERATOR}.log"
    ended = next(reversed(last_lines(log)), "")
    text = f"no such turn: {ended}; see {log}" if ended else "no such turn: the chatbot did not answer in time"
    checks += [contract.Check(operation="turn", passed=False, text=text)] * missing
    if prepared.target.no_app:
        return checks
    refused = refused_calls(launched.model_log, answered=all(check.passed for check in checks))
    return checks + refused + unasked(launched.model_log, turns)


def require_passed_check(trial: Trial, folder: Path) -> None:
    """Raise BenchError where the check of a target failed: nothing measured of it would mean anything."""
    if trial.verdict.outcome != "pass":
        reasons = "; ".join(r.text for r in trial.verdict.reasons)
        log = folder / "logs" / f"{GENERATOR}.log"
        if trial.summary is None and (lines := last_lines(log)):
            reasons += f"; the end of {log}:" + "".join(f"\n    {line}" for line in lines)
        if trial.limits.shortfall or any(reason.code in MACHINES_LIMITS for reason in trial.verdict.reasons):
            raise BenchError(f"{trial.key.target}: {reasons}", "`chatbench doctor` says what can be enforced here")
        typed = quote(trial.key.target)
        raise BenchError(
            f"{trial.key.target} does not answer as it should: {reasons}",
            f"try it by hand: chatbench serve {typed}; or every check: chatbench check {typed}",
        )
