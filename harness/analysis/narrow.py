"""Limits of files, tasks and ports that are too low for a level: a failure under them may be theirs."""

from harness.records import Limits, Reason, Verdict

#: what one user may take at once: connections to the target, to the model and to a database; a thread; ports likewise
PER_USER = {"open_files": 3, "tasks": 1, "ports": 2}
BESIDES = {"open_files": 200, "tasks": 100, "ports": 200}  # what a program takes without users
IN_WORDS = {
    "open_files": "open files allowed to a process (`ulimit -n`)",
    "tasks": "processes and threads that may be added (`ulimit -u`, pids.max)",
    "ports": "ports for outgoing connections (net.ipv4.ip_local_port_range)",
}
OOM = "target.oom"


def too_narrow(limits: Limits, users: int) -> list[Reason]:
    """Return a reason for each limit that is lower than so many users may need."""
    found: list[Reason] = []
    for name, words in IN_WORDS.items():
        allowed: int | None = getattr(limits, name)
        needed = PER_USER[name] * users + BESIDES[name]
        if allowed is not None and allowed < needed:
            text = f"{words} {allowed} (minimum {needed} for {users} users): this may have failed, not the target"
            found.append(
                Reason(code="invalid.limits", text=text, value=float(allowed), limit=float(needed), unit="count")
            )
    return found


def most_users(limits: Limits) -> tuple[int, str] | None:
    """Return how many users the tightest limit is enough for, and its words; None without limits."""
    enough = [
        (max(0, (allowed - BESIDES[name]) // PER_USER[name]), f"{words} {allowed}")
        for name, words in IN_WORDS.items()
        if (allowed := getattr(limits, name)) is not None
    ]
    return min(enough, default=None)


def excused(verdict: Verdict, limits: Limits, users: int) -> Verdict:
    """Return a verdict whose fail a limit of the machine may have caused as invalid; no other is changed.

    Memory is limited apart from these: a process killed for lack of it stays a fail.
    """
    if verdict.outcome != "fail" or any(reason.code == OOM for reason in verdict.reasons):
        return verdict
    narrow = too_narrow(limits, users)
    return Verdict(outcome="invalid", reasons=tuple(narrow)) if narrow else verdict
