"""The messages of a target's own Streamlit, taken out of its image for the generator."""

import io
import shutil
import tarfile
from pathlib import Path

import docker

from harness.runtimes.docker.images import Image

PACKAGES = "/opt/venv/lib/python3.11/site-packages"


def extracted(client: docker.DockerClient, image: Image, cache: Path) -> Path:
    """Return a folder that holds ``streamlit/proto`` as the image has it; taken out once per digest."""
    folder = cache / f"site-{image.digest.removeprefix('sha256:')[:20]}"
    if folder.is_dir():
        return folder
    making = folder.with_suffix(".part")
    shutil.rmtree(making, ignore_errors=True)
    container = client.containers.create(image.tag)
    try:
        pieces, _ = container.get_archive(f"{PACKAGES}/streamlit/proto")
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            archive.extractall(making / "streamlit", filter="data")
    finally:
        container.remove(force=True)
    making.rename(folder)
    return folder
