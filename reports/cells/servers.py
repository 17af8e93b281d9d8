"""The cost of capacity: servers for 100, 1,000 and 10,000 users, from the common load."""

from math import ceil
from statistics import median

from harness.analysis.capacity import BUDGET_CPUS, MEMORY_BUDGET_BYTES, operational_bound, response_s
from harness.analysis.figure import figure
from reports.cells.cell import NO_PROCESS, Cell, absent
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, paths, valid
from reports.numbers import as_text

MEASURE = "servers_1000_users"
LABEL = figure(MEASURE).label
USERS = (100, 1000, 10_000)
BUSY_SHARE = 0.7  # of its busiest resource that a server is loaded to


def users_a_server(evidence: Evidence, terms: Conditions) -> float | None:
    """Return how many users one server is given: ``BUSY_SHARE`` of the operational bound at the common load.

    So too of what its memory holds, by the memory per open session; where fewer met the SLO when tried, those.
    None where the common load has no valid trial, or no capacity was measured.
    """
    ends = evidence.capacity
    if not ends.low:
        return None
    found = []
    for _, trial in valid(evidence.at(evidence.common_level)):
        turn_s = response_s(trial.figures)
        cpu_s, busiest_s = (trial.figures.get(name) for name in ("target_cpu_s_per_turn", "busiest_cpu_s_per_turn"))
        if turn_s is None or not cpu_s:
            continue
        found.append(
            operational_bound(
                response_s=turn_s,
                think_s=terms.profile.think_mean_s(),
                cpu_s_per_turn=cpu_s,
                cpus=BUDGET_CPUS,
                busiest_s_per_turn=busiest_s or 0.0,
                busiest_cores=1.0,
            )
        )
    if not found:
        return None
    held = users_in_memory(evidence)
    share = BUSY_SHARE * (median(found) if held is None else min(median(found), held))
    return min(share, ends.low) if ends.status == "bracketed" and not ends.at_least else share


def users_in_memory(evidence: Evidence) -> float | None:
    """Return how many open sessions the memory holds; None where no memory per session was told from none."""
    names = ("memory_bytes_0", "memory_slope_bytes_per_session", "memory_slope_low_bytes")
    rows = [[trial.figures.get(name) for name in names] for _, trial in valid(evidence.idle)]
    known = [[value for value in row if value is not None] for row in rows]
    if not known or any(len(row) < len(names) for row in known) or min(row[2] for row in known) <= 0:
        return None
    return (MEMORY_BUDGET_BYTES - median(row[0] for row in known)) / median(row[1] for row in known)


def cell(evidence: Evidence, terms: Conditions) -> Cell:
    """Return the servers for each number of users."""
    if evidence.no_app:
        return absent(MEASURE, LABEL, evidence.target, NO_PROCESS)
    if valid(evidence.chat) and not evidence.capacity.low:
        return absent(MEASURE, LABEL, evidence.target, "not worked out: no level passed throughout")
    users = users_a_server(evidence, terms)
    if users is None or users <= 0:
        return absent(MEASURE, LABEL, evidence.target)
    counts = [ceil(wanted / users) for wanted in USERS]
    held = users_in_memory(evidence) is not None
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
        rests_on=paths(valid(evidence.at(evidence.common_level)) + (valid(evidence.idle) if held else [])),
    )


def assumptions(terms: Conditions) -> str:
    """Say what the cost figures assume."""
    return (
        f"Servers are calculated, not measured with more than one. {terms.think.capitalize()}. "
        f"A server has {BUDGET_CPUS} CPUs and takes {as_text(BUSY_SHARE, 'ratio')} of what its busiest CPU bears, "
        "by the CPU time per turn at the common load. "
        f"Its {as_text(MEMORY_BUDGET_BYTES, 'bytes')} of memory and its measured capacity bound it too. "
        "Users are spread evenly. A shared database, load balancing and spare servers come on top."
    )
