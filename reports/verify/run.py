"""Recomputes the printed numbers from raw samples, by arithmetic that shares nothing with ``harness.analysis.stats``.

Reads Parquet by pyarrow and computes with numpy. Of the rest of the project it uses file names, and, to compare the
wording of the tables, the report's own assembly.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.results import (
    AUDIT_FILE,
    POOLED_FILE,
    RESOURCES,
    RUN_FILE,
    SWAP_FILE,
    SWAP_FOLDER,
    TOKENS,
    TRIAL_FILE,
    TURNS,
    require_format,
)
from reports.verify.difference import Difference, read_json, same

if TYPE_CHECKING:
    from reports.verify import figures as verify_figures

SAMPLES = (TURNS, TOKENS, RESOURCES)
GATE_FILE = Path("report", "gate.json")
JUDGED = ("chat", "think", "open", "soak")  # scenarios whose trials pass or fail by the SLO


# Timed by the harness around the start of a target: no sample holds it.
UNSAMPLED = frozenset({"cold_start_s"})
#: runs recorded before they came to be do not have them
LATER = frozenset({"turn_mean_s", "generator_cpu_s_per_turn", "model_cpu_s_per_turn", "machine_speed", "early_turns"})
#: of a load that never settled; runs recorded before do not have them
LATE_TOOLS = frozenset({"schedule_delay_p95_s", "model_lag_p99_s", "throttled_s"})
#: of a whole window alone; runs recorded before have them of a cut trial and of a climb too
OF_WHOLE = frozenset(
    {
        "failure_ratio",
        "live_turns_mean",
        "live_streams_mean",
        "wire_bytes_per_text_byte",
        "updates_per_answer",
        "answer_tokens_mean",
        "model_calls_per_turn",
    }
)


def verify(run_dir: str | Path) -> list[Difference]:
    """Check all trials of a run, then the report; an empty list means that every printed number was found again.

    A folder of several pooled runs is checked from the samples of all of them.

    Raises:
        BenchError: the run has another results format.
    """
    folder = Path(run_dir)
    if (folder / POOLED_FILE).exists():
        from reports.verify import sessions

        return list(sessions.check(folder))
    run = read_json(folder / RUN_FILE)
    if isinstance(run, str):
        return [Difference(place=RUN_FILE, figure="file", text=run)]
    findings, proven = from_samples(folder, run)
    swap = read_json(folder / SWAP_FOLDER / SWAP_FILE) if (folder / SWAP_FOLDER / SWAP_FILE).exists() else None
    findings += _check_swap(f"{SWAP_FOLDER}/{SWAP_FILE}", swap)
    shown = swap if isinstance(swap, dict) else None
    report = _check_report(folder, run, proven, shown, readable=not findings)
    return findings + report + _check_gate(folder, run, proven, readable=not findings)


def from_samples(folder: Path, run: Mapping[str, Any]) -> tuple[list[Difference], dict[str, dict[str, Any]]]:
    """Return what differs in a run's trials, and every trial by its folder with its figures worked out again.

    Raises:
        BenchError: the run has another results format.
    """
    from reports.verify import speed

    require_format(folder / RUN_FILE, run)
    findings: list[Difference] = []
    proven: dict[str, dict[str, Any]] = {}
    for path in _trial_folders(folder):
        place = path.relative_to(folder).as_posix()
        trial = read_json(path / TRIAL_FILE)
        if isinstance(trial, str):
            findings.append(Difference(place=f"{place}/{TRIAL_FILE}", figure="file", text=trial))
            continue
        found, figures = _check_trial(path, place, trial, run)
        findings += found
        proven[place] = dict(trial) | {"figures": figures}
        if trial["key"]["scenario"] == "audit":
            audit = read_json(path / AUDIT_FILE)
            findings += _check_audit(f"{place}/{AUDIT_FILE}", audit)
            proven[place] |= audit if isinstance(audit, dict) else {}
    findings += [
        Difference(place=f"{place}/{TRIAL_FILE}", figure="verdict", text=text)
        for place, text in speed.minutes(proven, gate=bool(run.get("gate")))
    ]
    return findings, proven


def _trial_folders(folder: Path) -> list[Path]:
    """Folders of complete trials: ``trial.json`` is written last."""
    return sorted(path.parent for path in folder.glob(f"trials/*/*/*/{TRIAL_FILE}"))


def _check_trial(
    path: Path, place: str, trial: Mapping[str, Any], run: Mapping[str, Any]
) -> tuple[list[Difference], dict[str, float | None]]:
    """Check a trial's files, row counts, figures and verdict; returns what was recomputed too."""
    printed = trial.get("figures") or {}
    needed = _needed(trial)
    findings = list(_check_files(path, place, trial, needed))
    if any(f.figure in SAMPLES and "differs" not in f.text for f in findings):
        return findings, {}
    verdict_of = f"{place}/{TRIAL_FILE}"
    if not printed:
        from reports.verify import validity

        wrong = validity.unmeasured(trial) if AUDIT_FILE not in needed else ()
        return [*findings, *(Difference(place=verdict_of, figure="verdict", text=text) for text in wrong)], {}
    from reports.verify import figures as verify_figures
    from reports.verify import settled

    try:
        result = verify_figures.recompute(path, trial, run)
        restless = list(settled.check(path, trial, run))
    except (KeyError, TypeError, ValueError, OSError) as error:
        text = f"the samples cannot be worked through: {type(error).__name__}: {error}"
        return [*findings, Difference(place=place, figure="samples", text=text)], {}
    findings += [Difference(place=f"{place}/{name}", figure=figure, text=text) for name, figure, text in result.damage]
    part = trial["summary"].get("stopped_early") or trial["key"]["scenario"] == "climb"
    may_lack = LATER | (OF_WHOLE if part else frozenset())
    may_lack |= LATE_TOOLS if trial["summary"].get("unsettled") else frozenset()
    again = {name: value for name, value in result.figures.items() if name in printed or name not in may_lack}
    findings += _compare_figures(verdict_of, printed, again)
    findings += _check_account(path, place, trial["summary"])
    findings += [Difference(place=verdict_of, figure="settled", text=text) for text in restless]
    findings += _check_verdict(verdict_of, trial, replace(result, figures=again), run)
    return findings, again | {name: printed[name] for name in UNSAMPLED & set(printed)}


def _needed(trial: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the files that a trial's figures or findings come from."""
    if trial.get("figures"):
        return SAMPLES
    return (AUDIT_FILE,) if trial["key"]["scenario"] == "audit" else ()


def _check_files(path: Path, place: str, trial: Mapping[str, Any], needed: tuple[str, ...]) -> Iterator[Difference]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sums = trial.get("files") or {}
    for name in dict.fromkeys([*needed, *sums]):
        file = path / name
        if not file.is_file():
            yield Difference(place=f"{place}/{name}", figure=name, text="is missing")
            continue
        if name.endswith(".parquet"):
            try:
                pq.read_table(file)
            except (pa.ArrowException, OSError) as error:
                yield Difference(place=f"{place}/{name}", figure=name, text=f"cannot be read: {error}")
                continue
        if name not in sums:
            yield Difference(place=f"{place}/{TRIAL_FILE}", figure=name, text="no SHA-256 is recorded for it")
            continue
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != sums[name]:
            yield Difference(place=f"{place}/{name}", figure=name, text="its SHA-256 differs from the recorded one")


def _check_audit(place: str, audit: dict[str, Any] | str) -> Iterator[Difference]:
    """Check that an audit's findings follow from their own counts."""
    from reports.verify import audits

    if isinstance(audit, str):
        yield Difference(place=place, figure="file", text=audit)
        return
    try:
        for name, text in audits.damage(audit):
            yield Difference(place=place, figure=name, text=text)
    except (KeyError, TypeError, AttributeError) as error:
        yield Difference(place=place, figure="file", text=f"is not an audit: {type(error).__name__}: {error}")


def _check_swap(place: str, swap: dict[str, Any] | str | None) -> Iterator[Difference]:
    """Check that what is said of each pair follows from its own steps."""
    from reports.verify import audits

    if swap is None:
        return
    if isinstance(swap, str):
        yield Difference(place=place, figure="file", text=swap)
        return
    try:
        for name, text in audits.damage({"findings": [pair["finding"] for pair in swap["pairs"]]}):
            yield Difference(place=place, figure=name, text=text)
    except (KeyError, TypeError, AttributeError) as error:
        yield Difference(place=place, figure="file", text=f"is no swap matrix: {type(error).__name__}: {error}")


def _compare_figures(
    place: str, printed: Mapping[str, float | None], again: Mapping[str, float | None]
) -> Iterator[Difference]:
    for name, value in printed.items():
        if name in UNSAMPLED:
            continue
        if name not in again:
            yield Difference(place=place, figure=name, text="no formula is known to work it out from the samples")
        elif not same(value, again[name]):
            yield Difference(place=place, figure=name, text=f"printed {value}, the samples give {again[name]}")
    for name in again:
        if name not in printed:
            yield Difference(place=place, figure=name, text=f"is not printed, the samples give {again[name]}")


def _check_account(path: Path, place: str, summary: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare what a verdict rests on with the generator's own account, where the trial's folder still has it."""
    accounts = [(file.name, read_json(file)) for file in sorted(path.glob("generator*.json"))]
    for name, account in accounts:
        if isinstance(account, str):
            yield Difference(place=f"{place}/{name}", figure="file", text=account)
            return
    if not accounts:
        return
    for figure in ("turns_begun", "turns_written", "recorder_errors", "sign_in_failures", "stopped_early"):
        counted = sum(int(account[figure]) for _, account in accounts if isinstance(account, dict))
        said = int(summary[figure])
        if (bool(counted) if figure == "stopped_early" else counted) != said:
            text = f"trial.json says {said}, the generator's account {counted}"
            yield Difference(place=f"{place}/{accounts[0][0]}", figure=figure, text=text)


def _check_verdict(
    place: str, trial: Mapping[str, Any], result: "verify_figures.Recomputed", run: Mapping[str, Any]
) -> Iterator[Difference]:
    """Check that a verdict follows from the figures: the trial could be trusted, and met the thresholds or not."""
    from reports.verify import slo_blocks, validity

    judged = trial["key"]["scenario"] in JUDGED
    verdict, slo = trial["verdict"], run["profile"].get("slo") or {}
    figures = result.figures
    if trial["summary"].get("unsettled"):
        account = validity.Account.of(trial, run, result.foreign_nonces, None, result.own_limits)
        for text in (*validity.unmeasured(trial), *validity.unsettled(verdict, figures, account)):
            yield Difference(place=place, figure="verdict", text=text)
        return
    known = slo_blocks.thresholds(figures, slo, cut=bool(trial["summary"]["stopped_early"]))
    misses = {n for n, (value, limit) in known.items() if value is not None and value > limit}
    unbounded = {n for n, (value, _) in known.items() if value is None and figures.get("turns") and _not_ok(figures)}
    account = validity.Account.of(trial, run, result.foreign_nonces, result.waited_s, result.own_limits)
    missed = judged and bool(misses | unbounded)
    for text in validity.check(verdict, figures | result.machine, account, missed=missed):
        yield Difference(place=place, figure="verdict", text=text)
    if not judged:
        return
    if verdict["outcome"] == "pass" and misses | unbounded:
        name = sorted(misses | unbounded)[0]
        text = f"pass, but {name} is {known[name][0]} with a threshold of {known[name][1]}"
        yield Difference(place=place, figure="verdict", text=text)
    for reason in verdict["reasons"]:
        name = reason["code"].removeprefix("slo.")
        if name == reason["code"] or name not in known:
            continue
        value, limit = known[name]
        if not same(reason["value"], value) or not same(reason["limit"], limit):
            text = f"{reason['text']!r} does not follow: {name} is {value}, its threshold {limit}"
            yield Difference(place=place, figure="verdict", text=text)
    explained = any(r["code"].startswith("target.") for r in verdict["reasons"])
    if verdict["outcome"] == "fail" and not explained and not misses | unbounded:
        yield Difference(place=place, figure="verdict", text="fail, but every threshold was met")


def _not_ok(figures: Mapping[str, float | None]) -> float:
    return (figures.get("failed") or 0.0) + (figures.get("incomplete") or 0.0)


def _check_report(
    folder: Path,
    run: Mapping[str, Any],
    proven: Mapping[str, Mapping[str, Any]],
    swap: Mapping[str, Any] | None,
    *,
    readable: bool,
) -> list[Difference]:
    place = "report/table.json"
    table = read_json(folder / place)
    if isinstance(table, str):
        return [Difference(place=place, figure="file", text=f"{table}; rebuild it: chatbench report")]
    from reports.verify import cells, claims

    try:
        differing = [
            *cells.check(table, run, proven, swap),
            *claims.check(table, run, proven),
            *_check_speed(table, proven),
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        differing = [("table", f"is not a table as chatbench writes it: {type(error).__name__}: {error}")]
    findings = [Difference(place=place, figure=figure, text=text) for figure, text in differing]
    if findings or not readable:
        return findings
    from reports.verify import wording

    return list(wording.of_table(folder, table))


def _check_speed(table: Mapping[str, Any], proven: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Check the machine's speed over a run's trials; tables written before it was recorded have none."""
    from reports.verify import speed

    again = speed.of_run(proven)
    for name in ("median", "low", "high", "trials"):
        said = (table.get("speed") or {}).get(name)
        if not same(said, (again or {}).get(name)):
            yield "machine speed", f"{name}: printed {said}, the samples give {again}"


def _check_gate(
    folder: Path, run: Mapping[str, Any], proven: Mapping[str, Mapping[str, Any]], *, readable: bool
) -> list[Difference]:
    """Check a gate's answer, where the run is one."""
    place = f"{GATE_FILE.parent}/{GATE_FILE.name}"
    if not (folder / GATE_FILE).exists() and not run.get("gate"):
        return []
    gate = read_json(folder / GATE_FILE)
    if isinstance(gate, str):
        return [Difference(place=place, figure="file", text=gate)]
    from reports.verify import gate as verify_gate
    from reports.verify import wording

    try:
        differing = list(verify_gate.check(gate, run, proven.values()))
        if differing or not readable:
            return [Difference(place=place, figure=figure, text=text) for figure, text in differing]
        return list(wording.of_gate(folder, gate))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"is not a gate's answer as chatbench writes it: {type(error).__name__}: {error}"
        return [Difference(place=place, figure="file", text=text)]
