"""A trial's pod: nothing gets out of it, and its containers may do next to nothing."""

import errno
import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from harness.records import AnswerPlan, Distribution
from harness.runtimes import serving
from harness.runtimes.docker import DockerRuntime, engine
from harness.runtimes.docker.project import SERVICE_LABEL
from tests.e2e.containers.engine import connected, hardened, inside, labelled, main_process, prepared

pytestmark = pytest.mark.docker

ANSWER = AnswerPlan(ttft_s=Distribution(median=0.05), itl_s=0.01, tokens=Distribution(median=4))
#: prints what became of an attempt to reach each address that its arguments name
REACH = """
import socket, sys
for word in sys.argv[1:]:
    kind, host, port = word.split(",")
    try:
        if kind == "name":
            socket.getaddrinfo(host, int(port))
        else:
            stream = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, stream) as out:
                out.settimeout(2)
                out.connect((host, int(port)))
                out.send(b"x")
        print(word, "reached")
    except OSError as refused:
        print(word, type(refused).__name__, refused.errno)
"""


NO_WAY = {f"OSError {errno.ENETUNREACH}", f"OSError {errno.EADDRNOTAVAIL}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A started stack and its containers by service."""

    target: str
    served: serving.Served
    containers: dict[str, Container]

    def reach(self, service: str, *addresses: str) -> dict[str, str]:
        """Return what became of attempts to reach addresses from inside a service's container."""
        code, said = inside(self.containers[service], "python", "-c", REACH, *addresses)
        assert code == 0, said
        return dict(line.split(" ", 1) for line in said.splitlines())


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    with connected() as found:
        yield found


@pytest.fixture(scope="module", params=["streamlit", "django+angular"])
def sealed(
    request: pytest.FixtureRequest, client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sealed]:
    """Each target as a trial starts it."""
    ready = prepared(request.param)
    runtime = DockerRuntime()
    try:
        with serving.serving(runtime, ready, ANSWER, tmp_path_factory.mktemp("sealed")) as served:
            found = labelled(client, f"{engine.HARNESS_LABEL}={engine.harness_mark()}", SERVICE_LABEL)
            by_service = {str(one.labels[SERVICE_LABEL]): one for one in found}
            yield Sealed(target=request.param, served=served, containers=by_service)
    finally:
        runtime.close()


def interfaces(pid: int) -> dict[str, int]:
    """Return the packets that went through each network interface a process sees, as the kernel counts them."""
    lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    return {name.strip(): int(counts.split()[1]) for name, _, counts in (line.partition(":") for line in lines)}


def test_all_containers_share_one_network_that_has_nothing_but_loopback(sealed: Sealed) -> None:
    pids = [main_process(one) for one in sealed.containers.values()]
    networks = {Path(f"/proc/{pid}/ns/net").readlink() for pid in pids}
    assert len(networks) == 1
    assert Path("/proc/self/ns/net").readlink() not in networks
    assert set(interfaces(pids[0])) == {"lo"}
    assert Path(f"/proc/{pids[0]}/net/route").read_text().splitlines()[1:] == []
    assert {line.split()[-1] for line in Path(f"/proc/{pids[0]}/net/if_inet6").read_text().splitlines()} <= {"lo"}


def addresses() -> list[str]:
    """Return this machine's own addresses, that of the engine's bridge among them (netdevice(7), SIOCGIFADDR)."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(anything, 0x8915, struct.pack("256s", name.encode()))
                found.append(socket.inet_ntoa(answer[20:24]))
    return [address for address in found if not address.startswith("127.")]


def test_nothing_outside_of_the_pod_can_be_reached(sealed: Sealed) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:  # on every address this machine has
        port = listener.getsockname()[1]
        outside = [f"tcp,{address},{port}" for address in addresses()]
        assert outside
        for address in addresses():
            socket.create_connection((address, port), timeout=5).close()  # it could be reached
        outside += ["tcp,8.8.8.8,53", "udp,8.8.8.8,53", "tcp,2001:4860:4860::8888,53"]
        names = ["name,example.org,443", "name,host.docker.internal,80"]
        for service in ("llm", "api" if "api" in sealed.containers else "app"):
            found = sealed.reach(service, *outside, *names)
            assert {word for word, said in found.items() if said.startswith("gaierror")} == set(names)
            # refused at once by the kernel, which knows no way there: no packet was made
            assert {said for word, said in found.items() if word in outside} <= NO_WAY, found


def test_the_services_meet_on_the_pods_loopback_and_every_packet_stays_there(sealed: Sealed) -> None:
    service = "api" if "api" in sealed.containers else "app"
    pid = main_process(sealed.containers["pod"])
    before = interfaces(pid)["lo"]
    wanted = ["tcp,127.0.0.1,8001", "tcp,127.0.0.1,8080"]
    wanted += ["tcp,127.0.0.1,5432", "tcp,127.0.0.1,6379", "tcp,127.0.0.1,8000"] if service == "api" else []
    assert set(sealed.reach(service, *wanted).values()) == {"reached"}
    after = interfaces(pid)
    assert after["lo"] > before
    assert set(after) == {"lo"}


def test_containers_of_a_trial_have_no_rights_and_no_ports(sealed: Sealed) -> None:
    for name, container in sealed.containers.items():
        assert hardened(container) == [], name
        assert not any(container.ports.values()), name


def test_everything_of_a_trial_is_labelled_with_its_harness(sealed: Sealed, client: docker.DockerClient) -> None:
    built = set(prepared(sealed.target).images)
    assert set(sealed.containers) == built - {"generator"}
    (trial,) = {one.labels[engine.TRIAL_LABEL] for one in sealed.containers.values()}
    volumes = client.volumes.list(filters={"label": f"{engine.HARNESS_LABEL}={engine.harness_mark()}"})
    assert [one.attrs["Labels"][engine.TRIAL_LABEL] for one in volumes] == [trial]
