"""The main job: measure, print the table, write the report."""

import argparse
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from harness import profiles, results, targets
from harness.analysis.capacity import Capacity
from harness.cli import DEFAULT_TARGETS, REPOSITORY, lookup, output, progress, resuming, typed
from harness.errors import EXIT_DONE, EXIT_ERROR, EXIT_INVALID, BenchError, UsageError
from harness.host import machine, speed
from harness.records import Profile, Run, SwapMatrix, Trial, TrialKey
from harness.runtimes.protocol import Prepared, Runtime
from harness.trials import campaign, duration, opening
from harness.trials.context import TrialContext
from harness.trials.course import course

if TYPE_CHECKING:
    from reports.content.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The targets and settings to measure, with every argument checked."""

    folder: Path
    profile: Profile
    chosen: tuple[targets.Target, ...]
    catalogue: targets.Catalogue
    runtime: str
    seed: int
    workers: int
    known: tuple[Trial, ...]
    resumed: Run | None


def run(args: argparse.Namespace) -> int:
    """Run a campaign; exit code 3 where a target's capacity could not be settled."""
    console = output.console()
    job = _job(args)
    runtime = lookup.runtime(job.runtime)
    try:
        with machine.one_campaign():
            opening.require_writable(job.folder if job.resumed else job.folder.parent)
            prepared = _prepare(job, runtime, console)
            if job.resumed:
                _go_on(job, job.resumed, prepared)
            else:
                opening.open_run(
                    job.folder,
                    job.profile,
                    prepared.values(),
                    root=REPOSITORY,
                    runtime=job.runtime,
                    workers=job.workers,
                )
            capacities = _measure(job, runtime, prepared, console)
            _swap(job, console)
        return _finish(job, capacities, console)
    except KeyboardInterrupt:
        if (job.folder / results.RUN_FILE).exists():
            with suppress(OSError):  # the terminal may be gone
                said = f"interrupted; finished trials are kept. {_onwards(job)}"
                console.print(said, markup=False, highlight=False, soft_wrap=True)
        raise


def _onwards(job: Job) -> str:
    return f"Resume with: {typed.command('run', '--resume', str(job.folder.absolute()))}"


def _job(args: argparse.Namespace) -> Job:
    catalogue = lookup.catalogue()
    if args.resume:
        folder = lookup.run_folder(args.resume, args.results)
        earlier = results.read_run(folder)
        if args.targets:
            raise UsageError("--resume takes the targets of the run it goes on with", "leave the targets out")
        resuming.require_same_settings(earlier, profile=args.profile, runtime=args.runtime, workers=args.workers)
        resuming.require_same_place(earlier)
        return Job(
            folder=folder,
            profile=earlier.profile,
            chosen=resuming.targets_of(earlier, catalogue),
            catalogue=catalogue,
            runtime=earlier.runtime,
            seed=earlier.seed,
            workers=earlier.workers,
            # A target whose check failed may be fixed by now: it is checked again.
            known=tuple(
                one
                for _, one in results.read_trials(folder)
                if (one.key.scenario, one.verdict.outcome) != ("check", "fail")
            ),
            resumed=earlier,
        )
    workers = 1 if args.workers is None else args.workers
    runtime = "local" if args.runtime is None else args.runtime
    if workers < 1:
        raise UsageError(f"--workers {workers}: at least 1", "leave it out for a single process")
    names = list(dict.fromkeys(args.targets or DEFAULT_TARGETS))
    _folders_apart(names)
    profile = profiles.load("quick" if args.profile is None else args.profile)
    lookup.runtime(runtime)
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{results.slug(profile.name)}-{secrets.token_hex(2)}"
    return Job(
        folder=args.results / run_id,
        profile=profile,
        chosen=tuple(catalogue.target(name) for name in names),
        catalogue=catalogue,
        runtime=runtime,
        seed=profile.seed,
        workers=workers,
        known=(),
        resumed=None,
    )


def _folders_apart(names: list[str]) -> None:
    """Raise UsageError for two targets whose trials would go into one folder."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(results.slug(name), name)
        if other != name:
            raise UsageError(
                f"{other!r} and {name!r} would share the folder {results.slug(name)!r} of one run",
                "measure them in two runs, or rename one",
            )


def _go_on(job: Job, earlier: Run, prepared: dict[str, Prepared]) -> None:
    """Require that what was measured is what will be; a target of which nothing is kept may have been fixed."""
    if resuming.require_same_targets(earlier, prepared, {one.key.target for one in job.known}):
        results.write_run(job.folder, replace(earlier, targets={name: one.info for name, one in prepared.items()}))


def _prepare(job: Job, runtime: Runtime, console: Console) -> dict[str, Prepared]:
    with console.status("setting up") as status:

        def report(text: str) -> None:
            status.update(Text(text))
            if not console.is_terminal:
                console.print(text, highlight=False, markup=False)

        return {one.name: runtime.prepare(one, job.catalogue, REPOSITORY, job.seed, report) for one in job.chosen}


def _measure(job: Job, runtime: Runtime, prepared: dict[str, Prepared], console: Console) -> dict[str, Capacity]:
    from harness.trials import trial  # pandas takes seconds to import: only after everything a person said was checked

    kinds = [part.kind for part in job.catalogue.of_kind("api", "web")]
    pairs = kinds.count("api") * kinds.count("web") if _swaps(job) and job.runtime == "local" else 0
    expected = duration.in_words(*duration.campaign_s(job.profile, list(prepared), pairs=pairs))
    left = f" less the {len(job.known)} trials that are there" if job.known else ""
    console.print(
        f"measuring {', '.join(prepared)} with profile {job.profile.name}: about {expected}{left}",
        highlight=False,
        markup=False,
    )
    board = progress.Board(console, list(prepared), f"{job.profile.name} · {job.folder.name}")
    context = TrialContext(
        run=job.folder,
        runtime=runtime,
        profile=job.profile,
        tell=board.shows,
        workers=job.workers,
        fixed_work=speed.measured,
    )

    def measure(key: TrialKey) -> Trial:
        made = trial.run_trial(context, prepared[key.target], key)
        board.ends(made)
        if key.scenario == "check":
            trial.require_passed_check(made, results.trial_folder(job.folder, key))
        return made

    def set_aside(odd: Trial) -> None:
        results.write_trial(results.trial_folder(job.folder, odd.key), odd)
        board.sets_aside(odd)

    try:
        with progress.shown(board):
            return campaign.run_campaign(
                {one.name: course(job.profile, one.name, no_app=one.no_app) for one in job.chosen},
                measure,
                job.known,
                job.seed,
                board.starts,
                set_aside,
            )
    except BenchError as error:
        raise BenchError(error.message, f"{error.hint}; finished trials are kept. {_onwards(job)}") from error
    except BrokenPipeError:
        raise  # nobody reads what is printed: no fault of the results folder
    except OSError as error:
        message = f"the campaign in {job.folder} stopped: {error}"
        raise BenchError(message, f"fix that; finished trials are kept. {_onwards(job)}") from error


def _swaps(job: Job) -> bool:
    """Tell if parts are still to be tried with each other."""
    modular = any(one.kind == "modular" for one in job.chosen)
    earlier = results.read_swap(job.folder)
    return job.profile.swap and modular and not (earlier and earlier.pairs)


def _swap(job: Job, console: Console) -> None:
    """Try which parts swap, where the profile says so and a target is made of parts; never costs a measured trial."""
    if not _swaps(job):
        return
    try:
        _try_swapping(job, console)
    except OSError as error:  # a full disk: the trials are there, and the report may still have room
        console.print(f"the swap matrix was not kept: {error}", markup=False, highlight=False, soft_wrap=True)


def _try_swapping(job: Job, console: Console) -> None:
    if job.runtime != "local":
        results.write_swap(job.folder, _untried("a run in containers does not try it"))
        return
    try:
        # a browser's client is imported only where it is used: it may not load on this machine
        from harness.cli import swap as swap_command
        from harness.probes import swap as swapping

        matrix = swap_command.tried(swapping.pairs(job.catalogue), job.catalogue, job.folder, job.seed, console)
    except BenchError as error:
        results.write_swap(job.folder, _untried(f"{error.message}; {error.hint}"))
        return
    except Exception as error:  # noqa: BLE001  # whatever a browser stumbles over, what was measured is reported
        results.write_swap(job.folder, _untried(f"it stopped: {type(error).__name__}: {error}"))
        return
    swap_command.show(matrix, job.folder, console)


def _untried(why: str) -> SwapMatrix:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    return SwapMatrix(made_at=made_at, browser=None, duration_s=0.0, pairs=(), note=why)


def _finish(job: Job, capacities: dict[str, Capacity], console: Console) -> int:
    """Print and write the report; what fails here costs no trial, and the command that writes it again is named."""
    again = typed.command("report", str(job.folder))
    try:
        return _report(job, capacities, console)
    except BenchError as error:
        if again in error.hint:
            raise
        raise BenchError(
            error.message, f"{error.hint}; all samples are kept. Write the report with: {again}"
        ) from error
    except BrokenPipeError:
        raise  # nobody reads what is printed
    except Exception as error:
        message = f"the report could not be written: {type(error).__name__}: {error}"
        raise BenchError(message, f"all samples are kept. Write it with: {again}") from error


def _report(job: Job, capacities: dict[str, Capacity], console: Console) -> int:
    from reports import build
    from reports.pages import terminal

    report = build.read(job.folder)
    terminal.show(report, console)
    build.write(report, job.folder / build.FOLDER, build.FORMATS)
    console.print(f"report: {build.page(job.folder)}", highlight=False, markup=False, soft_wrap=True)
    if not job.profile.capacity:
        return _works(report)
    unsettled = [name for name, capacity in capacities.items() if capacity.status == "inconclusive"]
    if unsettled:
        print(f"chatbench: the capacity of {', '.join(unsettled)} could not be settled", file=sys.stderr)
        print("  the report says why; on a quieter machine: chatbench run again", file=sys.stderr)
        return EXIT_INVALID
    return EXIT_DONE


def _works(report: "Report") -> int:
    """Return the exit code of a run that asks only whether its targets work: all do, one does not, or nobody knows."""
    known = {name: cell.verdict for name in report.run.targets if (cell := report.table.cell(f"works/{name}"))}
    for verdict, text, code in (("failed", "does not work", EXIT_ERROR), ("invalid", "was not settled", EXIT_INVALID)):
        if names := [name for name, found in known.items() if found == verdict]:
            print(f"chatbench: {', '.join(names)} {text}", file=sys.stderr)
            print("  the report says why", file=sys.stderr)
            return code
    return EXIT_DONE
