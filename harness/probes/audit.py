"""The audit of a running target: findings for the rows Integration, Security, Maintenance.

A topic is a module with a list of probes; it is added to ``TOPICS`` and nowhere else. What could not be tried is
reported as not measured, with the reason, never as passed.
"""

from harness.probes import integration, security
from harness.probes.probe import Probe, Probes, run
from harness.probes.subject import Place, Subject, tried_in
from harness.records import Finding, from_json

__all__ = ["TOPICS", "Subject", "audit", "audit_in", "probes"]

TOPICS: tuple[Probes, ...] = (integration.PROBES, security.PROBES)


def probes() -> list[Probe]:
    """Return the probes of all topics in the order they run."""
    return [probe for topic in TOPICS for probe in topic]


def audit(subject: Subject) -> list[Finding]:
    """Run every probe on a started target and return one finding per probe; a failed probe does not stop the others."""
    return run(probes(), subject)


def audit_in(place: Place, subject: Subject) -> list[Finding]:
    """Audit a target from where it can be reached; BenchError where that could not be carried through."""
    return [from_json(Finding, one) for one in tried_in(place, "auditing", "audit", subject)]
