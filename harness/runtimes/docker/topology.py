"""The services of a target, and the measurement's additions to the Compose files a person uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.records import Role
from harness.runtimes.protocol import GENERATOR
from harness.targets import Target

POD, LLM = "pod", "llm"
LLM_PORT = 8001
API_URL = "http://127.0.0.1:8000"
FRONT_PORT = 8080
USER_ID = 10001  # of every image
TRIAL_FOLDER = "/trial"  # where the trial's folder is seen by model and generator
USER_FOLDER = "/user"  # where the generator sees the part whose user class it uses
SITE_FOLDER = "/site"  # where the generator sees the messages of the target's own Streamlit
GENERATOR_IMAGE = "chatbench/generator"
OPEN_FILES = 20000  # as in the Compose files
LOG_OPTIONS = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "1"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A Compose file and its services; ``share_mib`` is what each target service gets where no group holds them all."""

    file: str
    share_mib: Mapping[str, int]
    steps: tuple[tuple[str, ...], ...]  # each is started, and waited for, before the next
    ready: Mapping[str, tuple[str, ...]]  # service -> what answers when it is ready, seen from inside the pod
    ports: tuple[int, ...] = (FRONT_PORT,)

    @property
    def target(self) -> tuple[str, ...]:
        """The services that share the budget."""
        return tuple(self.share_mib)


MODULAR = Topology(
    file="modular.yaml",
    share_mib={"postgres": 768, "redis": 320, "api": 2240, "web": 768},
    steps=(("postgres", "redis"), ("api",), ("web",)),
    ready={
        "postgres": ("tcp://127.0.0.1:5432",),
        "redis": ("tcp://127.0.0.1:6379",),
        "api": (f"{API_URL}{{backend}}",),
        "web": (f"http://127.0.0.1:{FRONT_PORT}{{server}}",),
    },
)


def monolith(instances: int) -> Topology:
    """Return the topology of a monolith of so many processes, on as many ports from 8080 on."""
    return Topology(
        file="monolith.yaml",
        share_mib={"app": 4096},
        steps=(("app",),),
        ready={"app": tuple(f"http://127.0.0.1:{FRONT_PORT + n}{{server}}" for n in range(instances))},
        ports=tuple(range(FRONT_PORT, FRONT_PORT + instances)),
    )


# no application: the file's pod and language model alone
DIRECT = Topology(file="monolith.yaml", share_mib={}, steps=(), ready={}, ports=())


def of_target(target: Target) -> Topology:
    """Return the topology that a target's parts make."""
    if target.no_app:
        return DIRECT
    return MODULAR if target.web else monolith(target.instances)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The CPUs of containers and the parent groups of both sides, None where the engine takes none from us."""

    target_cpus: str
    other_cpus: str
    target_group: str | None
    others_group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """The parts of this machine that containers see; ``readable`` maps a path inside to the path here."""

    trial: str  # the trial's folder, which model and generator write
    data: str  # the volume of the target's data
    readable: Mapping[str, str] = field(default_factory=dict)
    user: str = f"{USER_ID}:{USER_ID}"


def role_of(service: str) -> Role:
    """Return the role in which a service's resources are counted."""
    if service == GENERATOR:
        return "generator"
    return "model" if service in (LLM, POD) else "target"


def override(
    topology: Topology, placement: Placement, mounts: Mounts, labels: Mapping[str, str], command: Sequence[str]
) -> dict[str, Any]:
    """Return what a trial lays over the Compose file: no way out of the pod, CPUs and memory, labels, the generator.

    Health checks are off: each is a process of its own, whose CPU time would be booked on the service it asks.
    """
    services: dict[str, Any] = {POD: _placed(POD, topology, placement, labels) | {"network_mode": "none"}}
    for service in (LLM, *topology.target):
        services[service] = _placed(service, topology, placement, labels)
    trial = _bound(mounts.trial, TRIAL_FOLDER)
    services[LLM] |= {"user": mounts.user, "volumes": [trial]}
    services[GENERATOR] = _placed(GENERATOR, topology, placement, labels) | {
        "image": GENERATOR_IMAGE,
        "network_mode": f"service:{POD}",
        "command": list(command),
        "user": mounts.user,
        "environment": {"CHATBENCH_PLAN": f"{TRIAL_FOLDER}/plan.json"},
        "volumes": [trial, *(_bound(here, there, read_only=True) for there, here in mounts.readable.items())],
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 (a memory file system of the container's own)
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "ulimits": {"nofile": {"soft": OPEN_FILES, "hard": OPEN_FILES}},
    }
    # Compose 1.29 takes the whole entry from here, Compose 2 adds to it: the name is said again
    return {"services": services, "volumes": {"data": {"name": mounts.data, "labels": dict(labels)}}}


def _bound(here: str, there: str, *, read_only: bool = False) -> dict[str, Any]:
    """Return a folder of this machine as Compose mounts it; its path may hold colons and dollars."""
    return {"type": "bind", "source": here.replace("$", "$$"), "target": there, "read_only": read_only}


def seeding_override(topology: Topology, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return what seeding lays over the Compose file: no way out of the pod, and labels; health checks stay on."""
    services = {service: {"labels": dict(labels)} for service in (POD, LLM, "prepare", *topology.target)}
    return {"services": services | {POD: {"labels": dict(labels), "network_mode": "none"}}}


def _placed(service: str, topology: Topology, placement: Placement, labels: Mapping[str, str]) -> dict[str, Any]:
    target = role_of(service) == "target"
    placed: dict[str, Any] = {
        "labels": dict(labels),
        "cpuset": placement.target_cpus if target else placement.other_cpus,
        "healthcheck": {"disable": True},
        "logging": LOG_OPTIONS,
        "restart": "no",
    }
    group = placement.target_group if target else placement.others_group
    if group is not None:
        placed["cgroup_parent"] = group
    elif target:
        placed |= {"mem_limit": f"{topology.share_mib[service]}m", "memswap_limit": f"{topology.share_mib[service]}m"}
    return placed
