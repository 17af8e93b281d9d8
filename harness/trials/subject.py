"""A started target as those who try it have to know it."""

from harness.probes.subject import Subject
from harness.runtimes.protocol import Prepared, Stack


def subject(prepared: Prepared, stack: Stack, rate_limit: int | None) -> Subject:
    """Describe a started target; ``rate_limit``: messages per minute it was launched with, None to leave that out."""
    target = prepared.target
    return Subject(
        target=target.name,
        base_url=stack.instances[0],
        api_url=stack.api_url,
        protocol=target.protocol,
        web=target.kind == "modular",
        features=target.features,
        seed=prepared.seed,
        rate_limit=rate_limit,
        model_log=stack.log_inside,
        streamlit_site=stack.site_inside,
    )
