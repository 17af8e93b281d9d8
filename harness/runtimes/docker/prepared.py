"""A target whose images are built and whose data is seeded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.records import TargetInfo
from harness.runtimes.docker.images import Image
from harness.runtimes.docker.topology import Topology
from harness.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerPrepared:
    """A containerised target ready to be started as often as wanted; see ``harness.runtimes.protocol.Prepared``."""

    target: Target
    seed: int
    info: TargetInfo
    shape: Topology
    compose_file: Path
    images: Mapping[str, Image]  # by service, the generator's and the pod's included
    versions: Mapping[str, str]  # by service, of what it is named after
    template: str | None  # volume of the seeded data
    ready: Mapping[str, str]  # paths that answer when ready: of the backend, and of what answers the load
    streamlit_site: Path | None
    settings: Mapping[str, str] = field(repr=False)  # of the Compose files, secrets among them
