"""What carrying people costs: servers for 100, 1,000 and 10,000 users, from the common load."""

from math import ceil
from statistics import median

from harness.capacity import operational_bound, response_s
from reports.cells import NO_PROCESS, NOT_MEASURED, Cell, absent
from reports.conditions import Conditions
from reports.evidence import Evidence, paths, valid
from reports.numbers import as_text

MEASURE = "servers_1000_users"
LABEL = "Servers for 100 / 1,000 / 10,000 users"
USERS = (100, 1000, 10_000)
BUSY_SHARE = 0.7  # of its busiest resource that a server is loaded to
CPUS = 2


def users_a_server(evidence: Evidence, terms: Conditions) -> float | None:
    """Return how many users one server is given: ``BUSY_SHARE`` of the operational bound at the common load.

    Where fewer than that met the SLO when tried, those. None where the common load has no valid trial.
    """
    found = []
    for _, trial in valid(evidence.at(evidence.common_level)):
        turn_s = response_s(trial.figures)
        cpu_s, busiest_s = (trial.figures.get(name) for name in ("target_cpu_s_per_turn", "busiest_cpu_s_per_turn"))
        if turn_s is None or not cpu_s:
            continue
        found.append(
            operational_bound(
                response_s=turn_s,
                think_s=terms.think_mean_s,
                cpu_s_per_turn=cpu_s,
                cpus=CPUS,
                busiest_s_per_turn=busiest_s or 0.0,
                busiest_cores=1.0,
            )
        )
    if not found:
        return None
    ends, share = evidence.capacity, BUSY_SHARE * median(found)
    return min(share, ends.low) if ends.low and ends.status == "bracketed" and not ends.at_least else share


def cell(evidence: Evidence, terms: Conditions) -> Cell:
    """Return the servers for each number of users."""
    users = users_a_server(evidence, terms)
    if not users:
        return absent(MEASURE, LABEL, evidence.target, NO_PROCESS if evidence.direct else NOT_MEASURED)
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
        rests_on=paths(valid(evidence.at(evidence.common_level))),
    )


def assumptions(terms: Conditions) -> str:
    """Say what the cost figures assume."""
    return (
        f"Servers: worked out, not tried with more than one. {terms.think.capitalize()}; each server of {CPUS} CPUs is "
        f"given {BUSY_SHARE:.0%} of what its busiest CPU would bear by the CPU time per turn at the common load, or "
        "the users it was seen to carry where those are fewer; users spread evenly; a shared database, load balancing "
        "and spare servers for failures come on top."
    )
