"""The figures of a trial by name, and its other facts."""

from collections.abc import Mapping
from dataclasses import dataclass

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of a trial, beside its figures."""

    spare_cpus: bool
    budget_cores: int
    stopped_early: bool
    target_exits: tuple[str, ...] = ()  # components of the target that ended by themselves, in words
    model_exits: tuple[str, ...] = ()
    oom_kills: int = 0  # processes of the target that the kernel killed for lack of memory
    limit_reached: bool | None = None  # by the target, its own memory limit; None: the kernel does not tell
    foreign_nonces: int = 0
    lost_tags: int = 0  # of the foreign nonces: those of no message at all
    turns_needed: int = 100
    sign_in_failures: int = 0
    recorder_errors: int = 0
    own_limits: int = 0  # turns and visits that failed for a limit of the load generator's own process
    own_limit: str | None = None  # the one that was met most, in words
    generator_faults: tuple[str, ...] = ()  # of several workers: what does not fit together, in words
    commonest_failure: str | None = None  # of turns that were not answered, in words
    waited_s: float | None = None  # for an answer, by users who did little else while measuring; None: they did not
    no_app: bool = False  # no application: generator and model are what is tried

    @property
    def died(self) -> bool:
        """Tell whether a process of the target or the model ended by itself or was killed."""
        return bool(self.model_exits or self.target_exits or self.oom_kills)
