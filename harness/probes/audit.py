"""What is not load but can be measured of a running target: findings for the rows Integration, Security, Maintenance.

A topic is a module with a list of probes; it is added to ``TOPICS`` and nowhere else. What could not be tried is
reported as not measured, with the reason, never as held.
"""

from harness.probes import integration, security
from harness.probes.probe import Probe, Probes, run
from harness.probes.subject import Subject, subject
from harness.records import Finding

__all__ = ["TOPICS", "Subject", "audit", "probes", "subject"]

TOPICS: tuple[Probes, ...] = (integration.PROBES, security.PROBES)


def probes() -> list[Probe]:
    """Return the probes of all topics in the order they run."""
    return [probe for topic in TOPICS for probe in topic]


def audit(subject: Subject) -> list[Finding]:
    """Try everything there is to try on a started target; one finding per probe, whatever became of the others."""
    return run(probes(), subject)
