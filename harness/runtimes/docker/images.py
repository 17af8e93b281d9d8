"""Container images: built by BuildKit from the checkout, on one base, with the machine's own index settings."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import docker
from docker.errors import ImageNotFound

from harness.environments import telling_lines
from harness.environments.uv import pip_settings, uv_environment
from harness.errors import BenchError
from harness.host.launch import last_lines
from harness.runtimes.docker import engine
from harness.runtimes.protocol import Report

OFFICIAL_BASE = "debian:12-slim"
BUILD_LIMIT_S = 1200
PULL_LIMIT_S = 60
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
CA_SECRET = "/run/secrets/ca"  # noqa: S105 (where BuildKit shows it, no secret itself)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A built image: its name, its digest on this engine, and the versions of what it runs."""

    tag: str
    digest: str
    versions: Mapping[str, str]


def base_image(root: Path, client: docker.DockerClient, report: Report) -> str:
    """Return the base of all images: the one set in BASE_IMAGE or compose/.env, else Debian's official one.

    Where no registry can be reached, one is made of Debian's packages by ``compose/base-image``.

    Raises:
        BenchError: it can neither be fetched nor made here.
    """
    wanted = wanted_base(root)
    try:
        client.images.get(wanted)
        return wanted
    except ImageNotFound:
        pass
    cli, _ = engine.builder()
    report(f"fetching the base image {wanted}")
    made_here = wanted.startswith("chatbench/")  # no registry has it
    if not made_here and _quietly([cli or "docker", "pull", wanted], PULL_LIMIT_S) == "":
        return wanted
    if not made_here and os.environ.get("BASE_IMAGE"):
        raise BenchError(f"the base image {wanted} cannot be fetched", "set BASE_IMAGE to another one, or unset it")
    report("no image registry within reach: making the base image of Debian's packages")
    said = _quietly([str(root / "compose" / "base-image")], BUILD_LIMIT_S)
    if said:
        raise BenchError(
            f"the base image {wanted} can neither be fetched nor made here: {said}", "run `make base-image` as root"
        )
    made = wanted_base(root)
    try:
        client.images.get(made)
    except ImageNotFound as absent:
        raise BenchError(f"there is no base image {made}", "correct BASE_IMAGE, here or in compose/.env") from absent
    return made


def wanted_base(root: Path) -> str:
    """Return the name of the base of all images, whether it is there or not."""
    settings = root / "compose" / ".env"
    found = re.search(r"^BASE_IMAGE=(\S+)$", settings.read_text(), re.MULTILINE) if settings.is_file() else None
    return os.environ.get("BASE_IMAGE") or (found[1] if found else OFFICIAL_BASE)


def build(tag: str, dockerfile: Path, root: Path, arguments: Mapping[str, str], log: Path) -> None:
    """Build one image with these build arguments; unchanged ones come from the engine's cache.

    Raises:
        BenchError: there is no Dockerfile or no BuildKit, or the build failed, with the telling lines of its log.
    """
    if not dockerfile.is_file():
        raise BenchError(
            f"{dockerfile.parent.name} has no Dockerfile ({dockerfile})",
            "write one, or measure it with --runtime local",
        )
    cli, missing = engine.builder()
    if missing:
        raise BenchError(missing, "then run the same command again; `chatbench doctor` tells what else is missing")
    log.parent.mkdir(parents=True, exist_ok=True)
    with _private_folder(root / ".chatbench" / "docker" / "build") as folder:
        command = [cli, "build", "--progress", "plain", "--network", "host", "--file", str(dockerfile), "--tag", tag]
        for name, value in arguments.items():
            command += ["--build-arg", f"{name}={value}"]
        for name, file in _secrets(folder, os.environ).items():
            command += ["--secret", f"id={name},{_csv_field(f'src={file}')}"]
        with log.open("ab") as output:
            try:
                done = subprocess.run(
                    [*command, str(root)],
                    env={**os.environ, **engine.same_engine(), "DOCKER_BUILDKIT": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=BUILD_LIMIT_S,
                )
            except subprocess.TimeoutExpired as late:
                raise BenchError(
                    f"building {tag} took longer than {BUILD_LIMIT_S} s; its log is {log}",
                    "see whether the package indexes are within reach, then run it again",
                ) from late
    if done.returncode:
        tail = "".join(f"\n    {line}" for line in telling_lines(last_lines(log, 400)))
        raise BenchError(f"building {tag} ended with {done.returncode}; from {log}:{tail}", "fix that and run it again")


@contextmanager
def _private_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder that is ours alone and goes with the block; one that a killed build left goes before it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inspect(client: docker.DockerClient, tag: str, cache: Path) -> Image:
    """Return the digest of an image and the versions that it states in /opt/versions; asked once per digest."""
    digest = str(client.images.get(tag).id)
    known = cache / f"versions-{digest.removeprefix('sha256:')[:20]}.json"
    if not known.is_file():
        text = client.containers.run(tag, ["/opt/versions"], entrypoint="cat", network_mode="none", remove=True)
        lines = [line.split(None, 1) for line in bytes(text).decode().splitlines() if line.strip()]
        cache.mkdir(parents=True, exist_ok=True)
        fresh = known.with_suffix(".part")
        fresh.write_text(json.dumps(dict(lines)))
        fresh.replace(known)
    return Image(tag=tag, digest=digest, versions=json.loads(known.read_text()))


def _secrets(folder: Path, environ: Mapping[str, str]) -> dict[str, Path]:
    """Write what only the build may see: index settings and proxies as shell exports, and the machine's certificates.

    Neither enters a layer, nor the image's history.
    """
    files: dict[str, Path] = {}
    exports = build_settings(environ)
    certificates = _certificates(environ)
    if certificates:
        files["ca"] = certificates
        names = (*CERTIFICATE_VARIABLES, "PIP_CERT", "npm_config_cafile")
        exports |= dict.fromkeys(names, CA_SECRET)
    if exports:
        files["build-env"] = folder / "build-env"
        files["build-env"].touch(mode=0o600)
        files["build-env"].write_text("".join(f"export {name}={_quoted(value)}\n" for name, value in exports.items()))
    return files


def build_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the index settings and proxies of this machine that mean the same inside of a build.

    Local folders are left out: a build does not see them.
    """
    pip = pip_settings(environ)
    found = {
        "PIP_INDEX_URL": pip.get("index-url", ""),
        "PIP_EXTRA_INDEX_URL": pip.get("extra-index-url", ""),
        **{name: value for name, value in uv_environment(environ).items() if name.startswith("UV_")},
        **{name: environ[name] for name in environ if name.startswith("UV_") and "INDEX" in name},
        "npm_config_registry": environ.get("npm_config_registry") or environ.get("NPM_CONFIG_REGISTRY", ""),
        # apt reads the small letters alone, others the large ones
        **{
            spelled: environ.get(name) or environ.get(name.lower(), "")
            for name in PROXIES
            for spelled in (name, name.lower())
        },
    }
    found.pop("UV_FIND_LINKS", None)
    kept = {name: " ".join(filter(_remote, value.split())) for name, value in found.items()}
    return {name: value for name, value in kept.items() if value}


def _remote(word: str) -> bool:
    name, _, address = word.partition("=")  # uv takes name=address
    where = word if "/" in name or not address else address
    return urlsplit(where).scheme != "file" and not where.startswith(("/", "~"))


def _certificates(environ: Mapping[str, str]) -> Path | None:
    named = [environ.get(name, "") for name in CERTIFICATE_VARIABLES] + [pip_settings(environ).get("cert", "")]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)


def _csv_field(text: str) -> str:
    """Return a field of a line of comma-separated values, as BuildKit reads them: a path may hold commas."""
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if "," in text or '"' in text else text


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def _quietly(command: Sequence[str], limit_s: float) -> str:
    """Run a command; what it said last where it failed, empty where it did not."""
    begun_s = time.monotonic()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=limit_s
        )
    except OSError as absent:
        return str(absent)
    except subprocess.TimeoutExpired:
        return f"no end after {time.monotonic() - begun_s:.0f} s"
    return "" if done.returncode == 0 else " ".join((done.stderr or done.stdout).split())[-300:] or "it failed"
