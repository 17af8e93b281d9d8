"""Runs one trial of a server of known behaviour, by the same code as any trial, and reads what that server knows."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from harness import environments, results
from harness.analysis.validity import Validity
from harness.errors import BenchError
from harness.records import Profile, TargetInfo, Trial, TrialKey
from harness.runtimes.local.stack import LocalPrepared
from harness.runtimes.protocol import Runtime
from harness.targets import Catalogue, Local, Part, Target
from harness.trials import trial
from harness.trials.context import TrialContext

RELAY = Path(__file__).with_name("relay.py")
# Nothing measured here depends on how fast the CPUs are: what others take shows in the error itself, and is printed.
RULES = replace(Validity(), foreign_cpu_ratio=1.0, steal_ratio=1.0, contended_host_busy_ratio=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A server of known behaviour and the load on it; ``behaviour`` holds options of ``relay.py``."""

    name: str  # [a-z0-9-]
    profile: Profile
    behaviour: tuple[str, ...] = ()
    protocol: str = "rest"
    scenario: str = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The relay's own log of one answer; seconds of the monotonic clock."""

    tag: str
    request_s: float
    written_s: tuple[float, ...]
    done_s: float
    cpu_s: float
    model_s: float = 0.0  # that the relay waited for the model before its first token, in all calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trial as the harness measured it, beside what the server knows."""

    trial: Trial
    folder: Path
    truth: dict[str, Answered]  # by tag


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """The place and the tools that the servers are run with."""

    folder: Path
    runtime: Runtime
    model: Part
    model_python: Path
    tell: Callable[[str], None]

    def measure(self, case: Case, users: int, number: int = 1) -> Measured:
        """Run one trial.

        Raises:
            BenchError: a server that does not come up, or a damaged log.
        """
        key = TrialKey(target=case.name, scenario=case.scenario, level=users, repetition=0, number=number)
        log = self.folder / "truth" / f"{results.slug(case.name)}-{number}.jsonl"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        context = TrialContext(
            run=self.folder, runtime=self.runtime, profile=case.profile, tell=lambda *_: None, validity=RULES
        )
        done = trial.run_trial(context, self._prepared(case, log), key)
        self.tell(f"{case.name}: {users} users, {done.verdict.outcome}")
        return Measured(trial=done, folder=results.trial_folder(self.folder, key), truth=_read(log))

    def _prepared(self, case: Case, log: Path) -> LocalPrepared:
        """Return the relay as a target like any other, in front of the stand-in model."""
        start = ("{python}", str(RELAY), "--port", "{port}", "--llm", "{llm}", "--log", str(log), *case.behaviour)
        part = Part(
            name="relay",
            kind="monolith",
            title="Relay of known behaviour",
            folder=RELAY.parent,
            protocol=case.protocol,
            local=Local(start=start, ready="/health"),
        )
        info = TargetInfo(
            title=part.title,
            kind="monolith",
            protocol=case.protocol,
            instances=1,
            python_processes=1,
            processes="1 process",
            features=(),
            parts=(),
        )
        return LocalPrepared(
            target=Target(name=case.name, parts=(part,)),
            pythons=(Path(sys.executable),),
            model=self.model,
            model_python=self.model_python,
            web=None,
            redis=None,
            template=_empty(self.folder),
            secret="",
            seed=case.profile.seed,
            versions={"llm": "known", "relay": "known"},
            info=info,
        )


def laboratory(
    root: Path, folder: Path, runtime: Runtime, catalogue: Catalogue, tell: Callable[[str], None]
) -> Laboratory:
    """Return a laboratory with the stand-in model's environment made ready.

    Raises:
        BenchError: its packages cannot be installed.
    """
    part = catalogue.model
    if part.local.requirements is None:
        raise BenchError(f"{part.folder / 'part.toml'}: local.requirements is missing", "name its locked requirements")
    with environments.alone(root):
        python = environments.Environments(root, tell).ensure_python(part.name, part.folder / part.local.requirements)
    # Steps of a millisecond: those of ten are part of every cycle, and would have to be part of the arithmetic.
    model = replace(part, local=replace(part.local, start=(*part.local.start, "--step-ms", "1")))
    return Laboratory(folder=folder, runtime=runtime, model=model, model_python=python, tell=tell)


def _empty(folder: Path) -> Path:
    empty = folder / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    return empty


def _read(log: Path) -> dict[str, Answered]:
    found = {}
    for line in log.read_text(encoding="ascii").splitlines() if log.exists() else ():
        row = json.loads(line)
        found[row["tag"]] = Answered(**(row | {"written_s": tuple(row["written_s"])}))
    return found
