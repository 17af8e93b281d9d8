"""All that a report says, as data; Markdown, JSON, CSV, terminal and page are views of it."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import results
from harness.analysis import speed
from harness.analysis.registry import figure
from harness.analysis.speed import SessionSpeed
from harness.records import FORMAT_VERSION, Run, TargetInfo, Trial, to_json
from reports.cells import audits, servers, works
from reports.cells.audits import Audited
from reports.content import bottleneck, claims
from reports.content.bottleneck import Bottleneck
from reports.content.claims import JudgedClaim
from reports.content.table import Table, compare
from reports.evidence import conditions, selftest
from reports.evidence.conditions import Conditions
from reports.evidence.frames import trial_refs
from reports.evidence.sittings import APART_S, sittings
from reports.evidence.trials import Evidence, TrialRef, cut, gather
from reports.numbers import as_text, significant

TRIAL_FIGURES = tuple(
    figure(name)
    for name in (
        "turns",
        "added_ttft_p95_s",
        "lateness_p95_s",
        "added_stall_p95_s",
        "failure_ratio",
        "throughput_per_s",
        "target_cores",
        "busiest_process_cores",
        "memory_peak_bytes",
        "host_busy_ratio",
        "schedule_delay_p95_s",
        "model_lag_p99_s",
        "machine_speed",
        "model_calls_per_turn",
        "unmatched_calls",
    )
)
OF_THE_MACHINE = ("target_cores", "busiest_process_cores", "memory_peak_bytes", "host_busy_ratio", "machine_speed")
OF_TURNS = frozenset(one.name for one in TRIAL_FIGURES) - frozenset(OF_THE_MACHINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run's report."""

    folder: Path
    run: Run
    terms: Conditions
    trials: tuple[TrialRef, ...]
    evidence: dict[str, Evidence]
    table: Table
    audits: tuple[Audited, ...]
    claims: tuple[JudgedClaim, ...]
    bottlenecks: tuple[Bottleneck, ...]
    notes: tuple[str, ...]
    citation: str

    @property
    def speed(self) -> SessionSpeed | None:
        """The machine's speed over the run's trials; None where none recorded it."""
        return speed.of_session([trial for _, trial in self.trials])

    @property
    def headline(self) -> str:
        """The result in one sentence or two."""
        if not self.terms.profile.capacity:
            return self._works
        table = self.table
        names = (table.modular, table.monolithic) if table.paired else table.targets
        cells = [cell for name in names if (cell := table.cell(f"capacity_users/{name}"))]
        said = [f"{cell.target} {cell.short}" for cell in cells if cell.verdict in ("measured", "bound")]
        ratio = table.cell(f"capacity_users/{table.modular} / {table.monolithic}")
        found = [f"Modular ÷ monolithic: {ratio.text}."] if ratio and ratio.bracket else []
        if said:
            found.append(f"Capacity within the SLO at {self.terms.think}: {', '.join(said)} ({self.terms.session}).")
        for verdict, words in (("none", "Not even one user within the SLO"), ("inconclusive", "Capacity not settled")):
            if of_these := [cell.target for cell in cells if cell.verdict == verdict]:
                found.append(f"{words}: {', '.join(of_these)}.")
        return " ".join(found) or "No capacity was measured in this run."

    @property
    def _works(self) -> str:
        """Which targets work, of a profile that asks no more."""
        cells = [self.table.cell(f"works/{target}") for target in self.table.targets]
        said = [f"{cell.target} {cell.short or cell.verdict}" for cell in cells if cell]
        return f"Does it work? {', '.join(said)}. Profile {self.run.profile.name} measures no capacity."

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data: ``table.json``."""
        return {
            "format_version": FORMAT_VERSION,
            "run_id": self.run.run_id,
            "created_at": self.run.created_at,
            "headline": self.headline,
            **self.table.as_json(),
            "speed": to_json(self.speed) if self.speed else None,
            "claims": [claim.as_json() for claim in self.claims],
            "bottlenecks": [b.as_json() for b in self.bottlenecks],
            "notes": list(self.notes),
            "conditions": dict(conditions_list(self)),
            "citation": self.citation,
        }


def assemble(folder: Path) -> Report:
    """Read a results folder and work out all that its report says.

    Raises:
        BenchError: ``run.json`` or a ``trial.json`` is missing or damaged.
    """
    run = results.read_run(folder)
    trials = trial_refs(folder)
    evidence = gather(run, trials, results.read_swap(folder))
    terms = Conditions(profile=run.profile, sittings=sittings(trial for _, trial in trials))
    found = audits.read(folder, trials)
    table = compare(run, evidence, terms, found)
    judged = table.targets if run.profile.capacity else ()
    return Report(
        folder=folder,
        run=run,
        terms=terms,
        trials=tuple(trials),
        evidence=evidence,
        table=table,
        audits=audits.audited((evidence[name] for name in table.targets), found),
        claims=tuple(claims.judge(run, table, terms, evidence)),
        bottlenecks=tuple(bottleneck.explain(evidence[name]) for name in judged if evidence[name].chat),
        notes=tuple(_notes(folder, run, trials, terms)),
        citation=conditions.citation(run, terms),
    )


def conditions_list(report: Report) -> list[tuple[str, str]]:
    """Return what a result depends on as (name, value in words)."""
    run, terms = report.run, report.terms
    found = [
        ("Profile", f"{run.profile.name}: {run.profile.purpose}"),
        ("Think time", terms.think),
        ("Answers", f"{terms.answers}; {terms.pace}"),
        ("SLO", terms.slo_text),
        ("Common load", as_text(run.common_level, "users")),
        *([("Sittings", str(terms.sittings))] if terms.sittings > 1 else []),
    ]
    groups = conditions.limits_by_text(_budgeted(run, report.trials))
    for text, paths in groups:
        where = "all trials" if len(paths) == len(report.trials) else f"{len(paths)} of {len(report.trials)} trials"
        found.append((f"Budget as enforced ({where})", text))
    found += [
        ("Machine", conditions.fingerprint(run.machine)),
        *([("Machine speed", f"{conditions.speed(report.speed)} the reference")] if report.speed else []),
        ("Self-test of this machine", selftest.in_words(run.selftest)),
        ("Runtime", run.runtime),
        ("Seed", str(run.seed)),
        ("chatbench", run.tool_version),
        ("Command", shlex.join(run.command)),
    ]
    for name, info in run.targets.items():
        processes = f"{info.processes or 'processes not stated'}; {_instances(info)}, protocol {info.protocol}"
        found.append((f"Target {name}", f"{info.title}: {conditions.versions(info)}; {processes}"))
    return found


def _instances(info: TargetInfo) -> str:
    kind = f"{info.kind}, " if info.kind in ("control", "hybrid") else ""  # of which the article has no column
    return f"{kind}{info.instances} instance(s)" if info.instances else f"{kind}nothing started"


def trial_rows(report: Report) -> list[tuple[str, Trial, list[str]]]:
    """Return a row per trial: folder, record, and its main figures in words ("–" where absent).

    A trial that was cut shows what the machine did meanwhile, and no figure of its turns.
    """
    rows = []
    for path, trial in report.trials:
        hidden = OF_TURNS if cut(trial) else frozenset()
        figures = [(None if one.name in hidden else trial.figures.get(one.name), one.suffix) for one in TRIAL_FIGURES]
        rows.append((path, trial, ["–" if value is None else as_text(value, unit) for value, unit in figures]))
    return rows


def _notes(folder: Path, run: Run, trials: list[TrialRef], terms: Conditions) -> list[str]:
    notes = []
    if not trials:
        notes.append("No trial was completed: this run holds no measurement.")
    if terms.sittings > 1:
        notes.append(
            f"Measured in {terms.sittings} sittings, {APART_S / 60:.0f} minutes or more apart. "
            "The machine may have changed between them, which ratios and claims do not allow for."
        )
    notes += [
        f"{name}: no completed trial."
        for name in run.targets
        if trials and all(t.key.target != name for _, t in trials)
    ]
    notes += [
        f"Invalid trial, left out: {path}: {_why(trial)}."
        for path, trial in trials
        if trial.verdict.outcome == "invalid" and not _counts(trial, terms)
    ]
    notes += _explain_note(trial for _, trial in trials if not _counts(trial, terms))
    unfinished = _unfinished(folder)
    if unfinished:
        notes.append(f"Unfinished trials, left out: {len(unfinished)} ({', '.join(unfinished)}).")
    notes += _limit_notes(run, trials)
    if run.workers > 1:
        notes.append(f"{run.workers} load generator processes simulated the users in every trial under load.")
    contended = [path for path, trial in trials if trial.verdict.contended]
    if contended and run.profile.capacity:
        notes.append(
            f"{len(contended)} trial(s) failed while load generator and model kept the machine busy. "
            "Where every trial of a level did, the capacity's upper end is worked out, not observed, and marked ≤."
        )
    notes += _speed_notes(trials)
    notes += _check_notes(trials)
    if trials and run.profile.capacity:
        notes.append(servers.assumptions(terms))
    doubt = selftest.note(run.selftest)
    return [*notes, doubt] if doubt else notes


def _counts(trial: Trial, terms: Conditions) -> bool:
    """Tell if a trial counts although it is invalid: where the question is only whether a target works."""
    return not terms.profile.capacity and trial.key.scenario == "chat" and works.worked(trial, terms)


def _why(trial: Trial) -> str:
    return "; ".join(reason.text for reason in trial.verdict.reasons) or "no reason recorded"


def _explain_note(trials: Iterable[Trial]) -> list[str]:
    codes = sorted({r.code for trial in trials if trial.verdict.outcome == "invalid" for r in trial.verdict.reasons})
    return [f"Cause and remedy of invalid trials: chatbench explain CODE ({', '.join(codes)})."] if codes else []


def _unfinished(folder: Path) -> list[str]:
    folders = sorted(p for p in folder.glob("trials/*/*/*") if p.is_dir())
    return [p.relative_to(folder).as_posix() for p in folders if not (p / results.TRIAL_FILE).exists()]


def _budgeted(run: Run, trials: Iterable[TrialRef]) -> list[TrialRef]:
    """Return the trials in which something ran that the budget applies to."""
    no_app = [name for name, info in run.targets.items() if not info.instances]
    return [item for item in trials if item.key.target not in no_app]


def _limit_notes(run: Run, every: Iterable[TrialRef]) -> list[str]:
    found = [
        f"{name}: no application. Its capacity is that of load generator and model alone."
        for name, info in run.targets.items()
        if not info.instances
    ]
    trials = _budgeted(run, every)
    shared = [t for _, t in trials if not t.limits.spare_cpus]
    open_cpu = [t for _, t in trials if not t.limits.cpu_enforced]
    open_memory = [t for _, t in trials if not t.limits.memory_enforced]
    if open_cpu:
        found.append(f"CPU limit NOT enforced in {len(open_cpu)} trial(s) ({open_cpu[0].limits.how}).")
    if open_memory:
        found.append(f"Memory limit NOT enforced in {len(open_memory)} trial(s) ({open_memory[0].limits.how}).")
    if shared:
        taken = [sum(t.figures.get(n) or 0 for n in ("generator_cores", "model_cores")) for t in shared]
        found.append(
            "No spare CPUs: load generator and model used the target's CPUs, "
            f"up to {significant(max(taken))} cores in a trial."
        )
    for _, trial in trials:
        notes = [n for n in trial.limits.notes if not n.startswith("no spare CPUs")]  # said above, with how much
        found += [note for note in notes if note not in found]
    return found


def _speed_notes(trials: Iterable[TrialRef]) -> list[str]:
    """Say why trials have no speed of the machine."""
    reasons = [speed.missing(trial.speed) for _, trial in trials if trial.speed]
    lost = [reason for reason in reasons if reason]
    return [f"Machine speed not measured around {len(lost)} trial(s): {lost[0]}."] if lost else []


def _check_notes(trials: Iterable[TrialRef]) -> list[str]:
    """Name targets that did not answer as the contract says."""
    return [
        f"{trial.key.target}: contract check failed, so its figures mean nothing: {_why(trial)}."
        for _, trial in trials
        if trial.key.scenario == "check" and trial.verdict.outcome == "fail"
    ]
