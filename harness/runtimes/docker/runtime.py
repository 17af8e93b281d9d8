"""Makes containerised targets ready and opens their trials."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness import environments, results
from harness.environments.secret import database_password, secret_of
from harness.errors import UsageError
from harness.host import cgroups, cpus, watchdog
from harness.host.cgroups import Budget
from harness.host.watchdog import Watchdog
from harness.records import TargetInfo
from harness.runtimes.docker import engine, images, seeding, topology
from harness.runtimes.docker.images import Image
from harness.runtimes.docker.pod import DockerPod
from harness.runtimes.docker.prepared import DockerPrepared
from harness.runtimes.docker.project import Project
from harness.runtimes.docker.site import Site
from harness.runtimes.docker.streamlit_site import extracted
from harness.runtimes.docker.topology import LLM, POD, Topology
from harness.runtimes.model_settings import model_settings
from harness.runtimes.protocol import GENERATOR, SEEDED_USERS, Report
from harness.runtimes.target_info import target_info
from harness.targets import Catalogue, Part, Target

SERVICE_TITLES = {"postgresql": "PostgreSQL", "redis": "Redis", "nginx": "nginx"}
SERVICE_VERSIONS = {"postgres": "postgresql", "redis": "redis", "web": "nginx"}


class DockerRuntime:
    """Opens trials in containers of this machine's engine."""

    def __init__(self, budget: Budget | None = None) -> None:
        """Find the engine and Compose, and remove what harnesses that are gone left behind.

        Raises:
            BenchError: no engine, no Compose, or fewer CPUs than the budget.
        """
        client = engine.connect()
        chosen = budget or Budget()
        with engine.reached("asking the engine about itself"):
            info = client.info()
            engine.sweep_leftovers(client)
        compose = engine.compose_command()
        self._site = Site(
            client=client,
            compose=compose,
            compose_version=engine.compose_version(compose),
            version=str(info["ServerVersion"]),
            driver=str(info.get("CgroupDriver", "unknown")),
            split=cpus.split(cpus.physical_cores(cpus.usable()), chosen.cpus),
            budget=chosen,
            hierarchy=cgroups.find(),
        )
        self._pods: list[DockerPod] = []

    def prepare(self, target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> DockerPrepared:
        """Build the images and seed the data of a target; see ``harness.runtimes.protocol.Runtime``."""
        with environments.alone(root), engine.reached(f"preparing {target.name}"):
            return self._prepare(target, catalogue, root, seed, report)

    def open_trial(self, name: str, folder: Path) -> DockerPod:
        """Make the parent groups of a trial with the budget on them."""
        folder.mkdir(parents=True, exist_ok=True)
        with engine.reached("looking for leftovers"):
            engine.sweep_leftovers(self._site.client)
        self._remove_groups_of_the_dead()
        pod = DockerPod(name, folder, self._site)
        self._pods = [*(p for p in self._pods if not p.stopped), pod]
        return pod

    def close(self) -> None:
        """Stop every trial that is still open, and leave the engine."""
        for pod in self._pods:
            pod.stop()
        self._site.client.close()

    def _remove_groups_of_the_dead(self) -> None:
        for name in cgroups.names_of_the_dead():
            for group in cgroups.every_folder(name):
                deadline_s = time.monotonic() + 2
                watchdog.kill_everything([group], (), deadline_s)
                watchdog.remove_group(group, deadline_s)

    def _prepare(self, target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> DockerPrepared:
        home = root / ".chatbench" / "docker"
        base = images.base_image(root, self._site.client, report)
        wanted = _dockerfiles(target, catalogue, root)
        for number, (tag, dockerfile) in enumerate(wanted.items(), start=1):
            report(f"{target.name}: image {tag} ({number} of {len(wanted)})")
            log = root / ".chatbench" / "logs" / f"image-{results.slug(tag)}.log"
            images.build(tag, dockerfile, root, {"BASE_IMAGE": base, **_arguments(target).get(tag, {})}, log)
        built = {service: images.inspect(self._site.client, tag, home) for service, tag in _tags(target).items()}
        shape = topology.of_target(target)
        settings = _settings(target, root, seed)
        digests = {service: built[service].digest for service in shape.target if service not in ("redis", "web")}
        template = seeding.template_name(digests, settings | {"users": str(SEEDED_USERS)}) if shape.target else None
        compose_file = root / "compose" / shape.file
        if template is not None:
            self._seed(target, shape, compose_file, template, settings, home, report)
        page = built.get("web" if target.web else "app")
        site = extracted(self._site.client, page, home) if page and target.protocol == "streamlit" else None
        return DockerPrepared(
            target=target,
            seed=seed,
            info=_info(target, catalogue, built),
            shape=shape,
            compose_file=compose_file,
            images=built,
            versions=_versions(target, catalogue, built),
            template=template,
            ready=_ready(target),
            streamlit_site=site,
            settings=settings,
        )

    def _seed(
        self,
        target: Target,
        shape: Topology,
        compose_file: Path,
        template: str,
        settings: Mapping[str, str],
        home: Path,
        report: Report,
    ) -> None:
        laid_over = home / f"{template}.json"
        labels = {engine.HARNESS_LABEL: engine.harness_mark(), engine.TRIAL_LABEL: template}
        results.write_json(laid_over, topology.seeding_override(shape, labels))
        project = Project(
            name=template,
            files=(compose_file, laid_over),
            compose=self._site.compose,
            client=self._site.client,
            settings={**settings, "DATA_VOLUME": template},
        )
        guard = Watchdog()
        try:
            guard.watch_command(engine.sweeper(labels[engine.HARNESS_LABEL]))
            seeding.ensure(
                replace(project, noted=lambda pid: guard.watch("session", pid)), template, home, report, target.name
            )
        finally:
            guard.close()


def _dockerfiles(target: Target, catalogue: Catalogue, root: Path) -> dict[str, Path]:
    """Return every image a target takes: its tag, and its Dockerfile.

    Raises:
        UsageError: a part outside of the checkout, whose files no image built from it could hold; or a monolith behind
            another page, for which there is no Compose file.
    """
    for part in target.parts:
        if part.only_local:
            raise UsageError(
                f"{target.name}: containers start {part.name} as its image does, not in the way of this variant",
                f"measure it with --runtime local, or {part.name} itself in containers",
            )
        if not part.folder.is_relative_to(root):
            raise UsageError(
                f"{part.folder} is not below {root}, from where images are built",
                f"measure it with --runtime local, or move it to targets/{part.kind}/{part.name}",
            )
    if target.web and target.backend.kind == "monolith":
        raise UsageError(f"{target.name}: no Compose file puts a page before a monolith", "use --runtime local")
    compose = root / "compose"
    folders: dict[str, Path] = {
        POD: compose / "pod",
        LLM: catalogue.model.folder,
        GENERATOR: compose / "generator",
    }
    if target.web:
        folders |= {"postgres": compose / "postgres", "redis": compose / "redis"}
        folders |= {"api": target.backend.folder, "web": target.web.folder}
    elif not target.no_app:
        folders |= {"app": target.server.folder}
    tags = _tags(target)
    return {tags[service]: folder / "Dockerfile" for service, folder in folders.items()}


def _tags(target: Target) -> dict[str, str]:
    tags = {name: f"chatbench/{name}" for name in (POD, LLM, GENERATOR)}
    if target.web:
        tags |= {"postgres": "chatbench/postgres", "redis": "chatbench/redis"}
        return tags | {"api": f"chatbench/api-{target.backend.name}", "web": f"chatbench/web-{target.web.name}"}
    return tags if target.no_app else tags | {"app": f"chatbench/app-{target.server.image_name}"}


def _ready(target: Target) -> dict[str, str]:
    """Return the paths that answer when the backend is ready, and when what people open is (built files: nginx)."""
    return {
        "backend": target.backend.local.path + target.backend.local.ready,
        "server": "/" if target.kind == "modular" else target.server.local.path + target.server.local.ready,
    }


def _arguments(target: Target) -> dict[str, dict[str, str]]:
    """Return what an image is built with besides its base: a variant with requirements of its own names them."""
    server = target.server
    if target.web or not server.edition:
        return {}
    return {_tags(target)["app"]: {"REQUIREMENTS": str(server.local.requirements)}}


def _settings(target: Target, root: Path, seed: int) -> dict[str, str]:
    """Return the variables of the Compose files that are the same in every trial."""
    secret = secret_of(root)
    settings = {
        # what a person may set to try something out is not what is measured
        **model_settings(f"http://127.0.0.1:{topology.LLM_PORT}/v1"),
        "OPEN_FILES": str(topology.OPEN_FILES),
        "SEED": str(seed),
        "SECRET_KEY": secret,
        "DB_PASSWORD": database_password(secret),
    }
    if target.web:
        return settings | {"API": target.backend.name, "WEB": target.web.name}
    if target.no_app:
        return settings
    server = target.server
    edition = f"-{server.edition}" if server.edition else ""
    return settings | {"APP": server.name, "EDITION": edition, "INSTANCES": str(target.instances)}


def _info(target: Target, catalogue: Catalogue, built: Mapping[str, Image]) -> TargetInfo:
    if target.no_app:
        parts: tuple[dict[str, str], ...] = (_described(catalogue.model, built[LLM]),)
    else:
        parts = tuple(
            _described(part, built["web" if part.kind == "web" else "api" if target.web else "app"])
            for part in target.parts
        )
    for service, name in SERVICE_VERSIONS.items():
        if service in built and not (service == "web" and target.kind == "hybrid"):
            version = built[service].versions.get(name, "unknown")
            parts += ({"name": name, "title": SERVICE_TITLES[name], "package": name, "version": version},)
    return target_info(target, parts)


def _versions(target: Target, catalogue: Catalogue, built: Mapping[str, Image]) -> dict[str, str]:
    """Return the version of what each service is named after: the framework, the database, Locust."""
    model = catalogue.model
    package = {POD: "debian", LLM: model.package or model.name, GENERATOR: "locust", **SERVICE_VERSIONS}
    package["api" if target.web else "app"] = target.backend.package or target.backend.name
    if target.kind == "hybrid":
        package["web"] = target.server.package or target.server.name
    return {service: image.versions.get(package[service], "unknown") for service, image in built.items()}


def _described(part: Part, image: Image) -> dict[str, str]:
    stated = part.version if isinstance(part.version, str) else None
    version = stated or (image.versions.get(part.package, "unknown") if part.package else "version not stated")
    return {"name": part.name, "title": part.title, "package": part.package or part.name, "version": version}
