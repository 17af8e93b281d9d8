"""The phases of a trial: pure decisions on times and counts."""

from collections.abc import Iterable

from harness.records import LoadPlan, Phase, PhaseTimes, Unsettled
from loadtests.schedule.settling import Settling


class Timeline:
    """Ramp-up, warm-up, measure, drain of one trial; where *measure* begins and ends is decided while it runs.

    The warm-up lasts ``warm_up_s``, and up to ``settle_s`` longer until the number of turns under way has been flat for
    the length of a warm-up. A trial that never settles ends without *measure*. *Measure* lasts until ``measure_turns``
    turns have ended in it, at least ``measure_min_s``, at most ``measure_max_s``. *Drain* goes on sending, so that the
    load stays real for turns still being answered. It ends as soon as every turn of *measure* has ended, at the latest
    after ``drain_s``.
    """

    def __init__(self, plan: LoadPlan, start_s: float) -> None:
        self._plan = plan
        self._settling = Settling(plan.warm_up_s, plan.answer.mean_s()) if plan.settle_s else None
        self.start_s = start_s
        self.ramp_up_end_s = start_s + plan.ramp_up_s
        self.measure_start_s: float | None = None if self._settling else self.ramp_up_end_s + plan.warm_up_s
        self.measure_end_s: float | None = None
        self.end_s: float | None = None
        self.unsettled: Unsettled | None = None

    def phase_of(self, intended_s: float) -> Phase:
        """Return the phase a turn belongs to, by its intended send."""
        if intended_s < self.ramp_up_end_s:
            return "ramp_up"
        if self.measure_start_s is None or intended_s < self.measure_start_s:
            return "warm_up"
        if self.measure_end_s is None or intended_s < self.measure_end_s:
            return "measure"
        return "drain"

    def advance(self, now_s: float, *, ended: int, outstanding: int, live: int = 0, stop: bool = False) -> bool:
        """Return whether the trial is over at this time with these counts of turns.

        Args:
            now_s: the time.
            ended: how many turns of *measure* have ended.
            outstanding: how many have not, planned ones included.
            live: how many turns of any phase are under way.
            stop: end the trial now, without a drain.
        """
        if stop:
            begun = self.measure_start_s is not None and now_s >= self.measure_start_s
            if self.measure_end_s is None and begun:
                self.measure_end_s = now_s
            self.end_s = now_s
            return True
        if self.measure_start_s is None:
            self._settle(now_s, live)
        elif self.measure_end_s is None:
            self._close_measure(now_s, self.measure_start_s, ended)
        elif outstanding == 0 or now_s >= self.measure_end_s + self._plan.drain_s:
            self.end_s = now_s
        return self.end_s is not None

    def _settle(self, now_s: float, live: int) -> None:
        assert self._settling is not None  # noqa: S101  # only then is the start of *measure* open
        self._settling.note(now_s, live)
        seen = self._settling.look(self.ramp_up_end_s)
        if seen is None:
            return
        if seen.flat:
            self.measure_start_s = now_s
        elif now_s >= self.ramp_up_end_s + self._plan.warm_up_s + self._plan.settle_s:
            self.unsettled = Unsettled(
                after_s=now_s - self.ramp_up_end_s, earlier_live=seen.earlier, later_live=seen.later
            )
            self.end_s = now_s

    def _close_measure(self, now_s: float, start_s: float, ended: int) -> None:
        longest_s = start_s + self._plan.measure_max_s
        enough = ended >= self._plan.measure_turns and now_s >= start_s + self._plan.measure_min_s
        if now_s >= longest_s:
            self.measure_end_s = longest_s
        elif enough:
            self.measure_end_s = now_s

    def times(self) -> dict[str, PhaseTimes]:
        """Return start and end of each phase that has begun."""
        end_s = self.end_s if self.end_s is not None else self.start_s
        bounds = {"ramp_up": (self.start_s, min(self.ramp_up_end_s, end_s))}
        if self.measure_start_s is None:
            bounds["warm_up"] = (self.ramp_up_end_s, end_s)
        else:
            measure_end_s = self.measure_end_s if self.measure_end_s is not None else end_s
            bounds["warm_up"] = (self.ramp_up_end_s, min(self.measure_start_s, end_s))
            bounds["measure"] = (self.measure_start_s, measure_end_s)
            if self.measure_end_s is not None:
                bounds["drain"] = (measure_end_s, end_s)
        return {name: PhaseTimes(start_s=a, end_s=b) for name, (a, b) in bounds.items() if b >= a}


def live_turn_seconds(changes: Iterable[tuple[float, int]], start_s: float, end_s: float) -> float:
    """Return the integral of the number of live turns over a window.

    Args:
        changes: (time, +1 or -1) as turns begin and end, in any order.
        start_s: start of the window.
        end_s: end of the window.
    """
    total, live, last_s = 0.0, 0, start_s
    for at_s, change in sorted(changes):
        if start_s < at_s < end_s:
            total += live * (at_s - last_s)
            last_s = at_s
        elif at_s >= end_s:
            break
        live += change
    return total + live * max(0.0, end_s - last_s)
