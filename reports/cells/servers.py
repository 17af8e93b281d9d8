"""The servers for 100, 1,000 and 10,000 users, from what the target used at the highest level that passed."""

from math import ceil
from statistics import median

from harness.analysis.capacity import BUDGET_CPUS, MEMORY_BUDGET_BYTES
from harness.analysis.registry import figure
from harness.records import Trial
from reports.cells import cost, memory
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, paths, valid
from reports.numbers import as_text

MEASURE = "servers_1000_users"
LABEL = figure(MEASURE).label
USERS = (100, 1000, 10_000)
BUSY_SHARE = 0.7  # of its busiest resource that a server is loaded to


def users_a_server(evidence: Evidence) -> float | None:
    """Return how many users one server is given: those that keep its busiest CPU resource at ``BUSY_SHARE``.

    No more than its memory holds, by the memory per open session, and no more than met the SLO when tried. None where
    no capacity was measured, its trials have no CPU readings, or idle CPU is not known.
    """
    ends = evidence.capacity
    idle = cost.idle_cores(evidence)
    if idle is None:
        return None
    found = [users for _, trial in cost.at_edge(evidence) if (users := _users_at_share(trial, idle)) is not None]
    if not ends.low or not found:
        return None
    held = users_in_memory(evidence)
    return min(median(found), ends.low, *([] if held is None else [BUSY_SHARE * held]))


def _users_at_share(trial: Trial, idle_cores: float) -> float | None:
    """Return the users that bring CPUs or busiest process to their share, in proportion to a trial (utilisation law).

    Idle CPU is there without a user and is not scaled. The busiest process has one core; its idle part is not known
    apart, and small at such a load.
    """
    cores, busiest = trial.figures.get("target_cores"), trial.figures.get("busiest_process_cores")
    if cores is None or cores <= idle_cores:
        return None
    scales = [(BUSY_SHARE * BUDGET_CPUS - idle_cores) / (cores - idle_cores)]
    if busiest:
        scales.append(BUSY_SHARE / busiest)
    return trial.key.level * min(scales)


def users_in_memory(evidence: Evidence) -> float | None:
    """Return how many open sessions the memory holds; None where no memory per session was told from none."""
    session = memory.per_session(evidence)
    empty = [t.figures.get("memory_bytes_0") for _, t in valid(evidence.idle)]
    known = [value for value in empty if value is not None]
    if session is None or session[1] <= 0 or not known:
        return None
    return (MEMORY_BUDGET_BYTES - median(known)) / session[0]


def cell(evidence: Evidence) -> Cell:
    """Return the servers for each number of users."""
    if evidence.no_app:
        return absent(MEASURE, LABEL, evidence.target, NO_PROCESS)
    if valid(evidence.chat) and not evidence.capacity.low:
        return absent(MEASURE, LABEL, evidence.target, "not worked out: no level passed throughout")
    if cost.at_edge(evidence) and cost.idle_cores(evidence) is None:
        return absent(MEASURE, LABEL, evidence.target, "not measured: idle CPU is not known")
    users = users_a_server(evidence)
    if users is None or users <= 0:
        return absent(MEASURE, LABEL, evidence.target)
    counts = [ceil(wanted / users) for wanted in USERS]
    short = " / ".join(f"{count:,}" for count in counts)
    return Cell(
        id=f"{MEASURE}/{evidence.target}",
        label=LABEL,
        target=evidence.target,
        value=counts[1],
        unit="servers",
        verdict="measured",
        short=short,
        text=f"{short} (at {as_text(int(users), 'users')} a server)",
        rests_on=paths(cost.at_edge(evidence) + valid(evidence.idle)),
    )


def assumptions(terms: Conditions) -> str:
    """Say what the cost figures assume."""
    return (
        f"Servers are calculated, not measured with more than one. {terms.think.capitalize()}. "
        f"A server has {BUDGET_CPUS} CPUs; they, or its busiest process, are {as_text(BUSY_SHARE, 'ratio')} busy, "
        "in proportion to the CPU used at capacity, idle CPU apart. "
        f"Its {as_text(MEMORY_BUDGET_BYTES, 'bytes')} of memory and its measured capacity bound it too. "
        "Users are spread evenly. A shared database, load balancing and spare servers come on top."
    )
