"""The REST contract: every operation of openapi.yaml, exercised with real flows."""

from pathlib import Path

from harness.probes.claims import Check, Probe, complete, run
from harness.probes.contract import access, conversations, messages, page, refusals, sign_in
from harness.probes.world import OPERATIONS, RestWorld


def rest_probes(*, rate_limit: int | None = 60, model_log: Path | None = None) -> list[Probe[RestWorld]]:
    """Return the probes of the REST contract in the order they run.

    Args:
        rate_limit: messages per user and minute the target was started with; None where it was raised out of reach,
            then the limits are left alone.
        model_log: the model's log, from which a cancelled request can be told; None leaves that out.
    """
    probes: list[Probe[RestWorld]] = [*sign_in.PROBES, *conversations.PROBES, *messages.PROBES]
    if model_log is not None:
        probes += messages.CANCELLING
    probes += [*access.probes(), *refusals.PROBES]
    if rate_limit is not None:
        probes += refusals.limits(rate_limit)
    return probes


def check_rest(
    base_url: str, *, seed: int, web: bool, rate_limit: int | None = 60, model_log: Path | None = None
) -> list[Check]:
    """Prove that a running API meets the contract, and with ``web`` that it serves a front end.

    Talks as the seeded users 31 to 35, the moderator and the admin, and leaves new conversations behind.
    Arguments as in :func:`rest_probes`.
    """
    world = RestWorld(base_url, seed=seed, model_log=model_log)
    checks = run(rest_probes(rate_limit=rate_limit, model_log=model_log), world)
    if web:
        checks += page.check_page(base_url, "rest")
    return complete(checks, OPERATIONS)
