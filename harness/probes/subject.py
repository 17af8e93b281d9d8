"""What an audit needs to know of a started target."""

from dataclasses import dataclass

from harness.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A started target, as one who audits it reaches it; plain data, so that it can be handed to another process.

    Attributes:
        api_url: Of the API that programs use, where the page has a server of its own; None where it is ``base_url``.
        protocol: The wire protocol its users speak: ``rest``, ``streamlit``, ``openai``, or a name of its own.
        web: An API's web part is served at the same address.
        features: What its parts state that it offers.
        rate_limit: Messages per user and minute it was started with.
        model_log: Path of the log of the model's answers.
        streamlit_site: Folder of packages that holds the target's own Streamlit, where it has one.
    """

    target: str
    base_url: str
    protocol: str
    web: bool
    features: tuple[str, ...]
    seed: int
    rate_limit: int
    model_log: str
    streamlit_site: str | None = None
    api_url: str | None = None

    @property
    def program_url(self) -> str:
        """Where a program goes: to the API, where there is one."""
        return self.api_url or self.base_url


def subject(
    target: Target,
    base_url: str,
    *,
    api_url: str | None,
    seed: int,
    rate_limit: int,
    model_log: str,
    streamlit_site: str | None,
) -> Subject:
    """Describe a target that was started at an address."""
    return Subject(
        target=target.name,
        base_url=base_url,
        protocol=target.protocol,
        web=target.web is not None,
        features=tuple(sorted({feature for part in target.servers for feature in part.features})),
        seed=seed,
        rate_limit=rate_limit,
        model_log=model_log,
        streamlit_site=streamlit_site,
        api_url=api_url,
    )
