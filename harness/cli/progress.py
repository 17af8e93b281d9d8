"""Live progress of a campaign: a table that redraws itself on a terminal, a line per trial elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.analysis.stats import percentile
from harness.records import Trial
from harness.trials.campaign import Progress
from harness.trials.watching import Live as LiveTurns


class Board:
    """The progress board of a campaign on the terminal."""

    def __init__(self, console: Console, targets: list[str], title: str) -> None:
        self.console, self.title = console, title
        self.now: Progress | None = None
        self.state: dict[str, str] = dict.fromkeys(targets, "waiting")
        self.about_left: dict[str, int] = dict.fromkeys(targets, 7)
        self.last: dict[str, str] = {}
        self.durations_s: list[float] = []
        self.trial_started = self.started = time.monotonic()

    def starts(self, progress: Progress) -> None:
        """A trial begins."""
        self.now, self.trial_started = progress, time.monotonic()
        self.about_left[progress.target] = progress.request.about_left
        if not self.console.is_terminal:
            self._line(f"{progress.target}: {self._name(progress)} …")

    def shows(self, phase: str, live: LiveTurns | None) -> None:
        """The running trial has news."""
        if self.now is None:
            return
        seen = ""
        if live and live.ttft_s:
            p95 = percentile(live.ttft_s, 95) or 0.0
            seen = f", {live.turns} turns, first token p95 {p95 * 1000:.0f} ms"
        self.state[self.now.target] = f"{self._name(self.now)}: {phase.replace('_', '-')}{seen}"

    def ends(self, trial: Trial) -> None:
        """The running trial is over."""
        self.durations_s.append(time.monotonic() - self.trial_started)
        target = trial.key.target
        self.state[target] = "waiting"
        self.about_left[target] = max(0, self.about_left[target] - 1)
        self._says(trial)

    def sets_aside(self, trial: Trial) -> None:
        """The trial that ended last does not count; it is made again."""
        self.about_left[trial.key.target] += 1
        self._says(trial)

    def _says(self, trial: Trial) -> None:
        key, verdict = trial.key, trial.verdict
        why = f" ({verdict.reasons[0].text})" if verdict.reasons else ""
        self.last[key.target] = f"{key.name} {key.level}: {verdict.outcome}{why}"
        if not self.console.is_terminal:
            self._line(f"{key.target}: {self.last[key.target]}")

    def _line(self, text: str) -> None:
        self.console.print(f"{self._clock()} {text}", highlight=False, markup=False, soft_wrap=True)

    def _name(self, progress: Progress) -> str:
        request = progress.request
        what = {"check": "first turns", "audit": "audit", "idle": f"memory of up to {request.level} sessions"}
        low, high = request.bracket
        known = f" in [{low or 0}, {high or '…'}]" if request.scenario == "chat" and (low or high) else ""
        what |= {scenario: f"{scenario}, {request.level} users" for scenario in ("visit", "spike", "soak")}
        what |= {"climb": f"a climb to {request.level} users"}
        what |= {"open": f"{request.level} arrivals a minute"}
        return what.get(request.scenario, f"{request.level} users{known}")

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        return f"{minutes:02d}:{seconds:02d}"

    def _left(self) -> str:
        if not self.durations_s:
            return ""
        mean_s = sum(self.durations_s) / len(self.durations_s)
        left_s = max(0.0, sum(self.about_left.values()) * mean_s - (time.monotonic() - self.trial_started))
        return f", about {max(1, round(left_s / 60))} min left"

    def __rich__(self) -> Table:
        done = len(self.durations_s)
        table = Table(title=f"{self.title} · {self._clock()}{self._left()}", title_justify="left", expand=True)
        table.add_column("target", no_wrap=True)
        table.add_column("trials", no_wrap=True)
        table.add_column("now", ratio=3)
        table.add_column("last", ratio=3)
        total = done + sum(self.about_left.values())
        for target, state in self.state.items():
            running = self.now is not None and self.now.target == target
            count = f"{self.now.number} of ~{self.now.number + self.about_left[target]}" if running and self.now else ""
            table.add_row(Text(target), count, Text(state), Text(self.last.get(target, "")))
        table.caption = f"{done} of about {total} trials done"
        return table


@contextmanager
def shown(board: Board) -> Iterator[None]:
    """Show a board while the block runs."""
    if not board.console.is_terminal:
        yield
        return
    with Live(board, console=board.console, refresh_per_second=2, transient=True):
        yield
