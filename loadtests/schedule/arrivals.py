"""Open workload: the times of arrivals, and the number of virtual users for them; decisions only."""

from collections import deque
from math import ceil

from harness.records import Arrivals, LoadPlan
from loadtests.schedule.draws import arrival_gap_s
from loadtests.schedule.phases import Timeline

RESERVE_S = 2.0  # of arrivals: as many users are ready, so a further user's page has that long to open
MOST_LET_IN = 3  # per call of ``wanted``: opening all pages at once would be another test


class Pool:
    """Arrivals of a Poisson process in their order, each taken by the user who has been free longest.

    A free user takes the next arrival and waits for its time. An arrival that is due waits for the next free user, and
    its latency runs meanwhile. Further users start while fewer than a reserve are ready, up to the plan's ``users``.
    Arrivals begin with the warm-up: during the ramp-up the reserve opens its pages.
    """

    def __init__(self, plan: LoadPlan, timeline: Timeline) -> None:
        self._plan = plan
        self._per_s = plan.arrivals_per_s or 0.0
        self._timeline = timeline
        self._reserve = 1 + ceil(RESERVE_S * self._per_s)
        self._taken = 0
        self._drawn = 0
        self._drawn_until_s = timeline.ramp_up_end_s
        self._ahead: deque[float] = deque()  # drawn and not taken
        self._standing: deque[float] = deque()  # times that users wait for
        self._came: set[int] = set()
        self.let_in = 0
        self._without_page = 0
        self._without_user = 0

    def take(self, user: int, now_s: float) -> tuple[int, float]:
        """Return the number (0-based) and time of the next arrival, which this user takes."""
        self._came.add(user)
        if not self._ahead:
            self._draw()
        number, intended_s = self._taken, self._ahead.popleft()
        self._taken += 1
        if intended_s > now_s:
            self._standing.append(intended_s)
        else:
            self._count_late(intended_s)
        return number, intended_s

    def wanted(self, now_s: float) -> int:
        """Return the number of users to start now; they count as let in from then on."""
        self._look(now_s)
        overdue = sum(at_s <= now_s for at_s in self._ahead)
        opening = self.let_in - len(self._came)
        short = self._reserve + overdue - len(self._standing) - opening
        count = max(0, min(short, MOST_LET_IN, self._plan.users - self.let_in))
        self.let_in += count
        return count

    def outstanding(self, now_s: float) -> int:
        """Return the number of arrivals of *measure* that are due and not taken."""
        self._look(now_s)
        return sum(at_s <= now_s and self._timeline.phase_of(at_s) == "measure" for at_s in self._ahead)

    def left(self, now_s: float) -> list[tuple[int, float]]:
        """Return number and time of all arrivals that are due and not taken, at the trial's end."""
        self._look(now_s)
        due = []
        while self._ahead and self._ahead[0] <= now_s:
            due.append((self._taken, self._ahead.popleft()))
            self._taken += 1
            self._count_late(due[-1][1])
        return due

    def account(self) -> Arrivals:
        """Return the rate, and the arrivals of *measure* that had to wait."""
        return Arrivals(per_s=self._per_s, without_page=self._without_page, without_user=self._without_user)

    def _draw(self) -> None:
        self._drawn_until_s += arrival_gap_s(self._plan.seed, self._drawn, self._per_s)
        self._drawn += 1
        self._ahead.append(self._drawn_until_s)

    def _look(self, now_s: float) -> None:
        while self._drawn_until_s <= now_s:
            self._draw()
        while self._standing and self._standing[0] <= now_s:
            self._standing.popleft()

    def _count_late(self, intended_s: float) -> None:
        if self._timeline.phase_of(intended_s) != "measure":
            return
        if self.let_in >= self._plan.users:
            self._without_user += 1
        else:
            self._without_page += 1
