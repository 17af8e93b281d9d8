"""What measuring lays over the Compose files, held against those files."""

from typing import Any

import pytest
import yaml

from harness.runtimes.docker import topology
from harness.runtimes.docker.topology import GENERATOR, LLM, MODULAR, POD, Mounts, Placement, Topology, monolith
from tests import ROOT

COMPOSE = ROOT / "compose"
SHAPES = [MODULAR, monolith(1), monolith(2)]
COMMON = Placement(target_cpus="0,1", other_cpus="2,3", target_group="/t/target", others_group="/t/others")
SPLIT = Placement(target_cpus="0,1", other_cpus="2,3", target_group=None, others_group=None)
MOUNTS = Mounts(trial="/results/one", data="one-data", readable={"/site": "/cache/site"}, user="1000:1000")
LABELS = {"chatbench.harness": "1-2", "chatbench.trial": "one"}

pytestmark = pytest.mark.parametrize("shape", SHAPES, ids=["modular", "monolith", "two instances"])


def file_of(shape: Topology) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((COMPOSE / shape.file).read_text())
    return loaded


def override(shape: Topology, place: Placement = COMMON) -> dict[str, Any]:
    return topology.override(shape, place, MOUNTS, LABELS, ["python", "-m", "locust"])


def placed(shape: Topology, place: Placement = COMMON) -> dict[str, Any]:
    services: dict[str, Any] = override(shape, place)["services"]
    return services


def test_every_service_of_the_file_but_the_preparing_one_is_placed(shape: Topology) -> None:
    assert set(placed(shape)) == set(file_of(shape)["services"]) - {"prepare"} | {GENERATOR}


def test_roles_and_shares_are_those_the_file_states(shape: Topology) -> None:
    services = file_of(shape)["services"]
    stated = {name: one["labels"] for name, one in services.items() if name != "prepare"}
    shares = {name: int(of["chatbench.memory"]) for name, of in stated.items() if "chatbench.memory" in of}
    assert shares == dict(shape.share_mib)
    assert sum(shares.values()) == 4096
    targets = {name for name, of in stated.items() if of["chatbench.role"] == "target"}
    assert targets == set(shape.target) == {name for name in stated if topology.role_of(name) == "target"}
    assert topology.role_of(GENERATOR) == "generator"
    assert topology.role_of(LLM) == topology.role_of(POD) == "model"


def test_the_pod_has_no_way_out_and_every_other_service_is_in_it(shape: Topology) -> None:
    services = placed(shape)
    assert services[POD]["network_mode"] == "none"
    assert services[GENERATOR]["network_mode"] == "service:pod"
    inside = [one for name, one in file_of(shape)["services"].items() if name != POD]
    assert {one["network_mode"] for one in inside} == {"service:pod"}
    assert not [name for name, one in services.items() if name not in (POD, GENERATOR) and "network_mode" in one]
    assert not [one for one in services.values() if "ports" in one]


def test_only_the_pod_publishes_and_only_to_this_machine(shape: Topology) -> None:
    publishing = {name: one["ports"] for name, one in file_of(shape)["services"].items() if "ports" in one}
    assert list(publishing) == [POD]
    assert all(port.startswith("127.0.0.1:") for port in publishing[POD])


def test_every_service_runs_with_next_to_no_rights(shape: Topology) -> None:
    services = file_of(shape)["services"] | {GENERATOR: placed(shape)[GENERATOR]}
    for name, one in services.items():
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(one), name


def test_everything_is_labelled_and_nothing_restarts_or_asks_after_its_health(shape: Topology) -> None:
    for name, one in placed(shape).items():
        assert one["labels"] == LABELS, name
        assert one["restart"] == "no", name
        assert one["healthcheck"] == {"disable": True}, name
        assert one["logging"]["options"]["max-size"], name
    assert override(shape)["volumes"]["data"] == {"name": "one-data", "labels": LABELS}


def test_the_target_runs_on_its_cpus_below_its_parent_and_the_others_on_theirs(shape: Topology) -> None:
    for name, one in placed(shape).items():
        ours = name in shape.target
        assert one["cpuset"] == ("0,1" if ours else "2,3"), name
        assert one["cgroup_parent"] == ("/t/target" if ours else "/t/others"), name
        assert "mem_limit" not in one, name


def test_without_a_common_parent_the_shares_add_up_to_the_budget(shape: Topology) -> None:
    services = placed(shape, SPLIT)
    assert not [name for name, one in services.items() if "cgroup_parent" in one]
    limited = {name: one for name, one in services.items() if "mem_limit" in one}
    assert set(limited) == set(shape.target)
    assert all(one["mem_limit"] == one["memswap_limit"] for one in limited.values())  # equal: no swap
    assert sum(int(one["mem_limit"].removesuffix("m")) for one in limited.values()) == 4096


def test_model_and_generator_write_the_trials_folder_and_read_the_rest(shape: Topology) -> None:
    services = placed(shape)
    trial = {"type": "bind", "source": "/results/one", "target": "/trial", "read_only": False}
    site = {"type": "bind", "source": "/cache/site", "target": "/site", "read_only": True}
    assert services[LLM]["volumes"] == [trial]
    assert services[GENERATOR]["volumes"] == [trial, site]
    assert services[LLM]["user"] == services[GENERATOR]["user"] == "1000:1000"
    assert services[GENERATOR]["environment"] == {"CHATBENCH_PLAN": "/trial/plan.json"}
    assert services[GENERATOR]["command"] == ["python", "-m", "locust"]
    assert not [name for name in shape.target if "volumes" in services[name]]


def test_every_service_of_the_target_is_started_once_and_waited_for(shape: Topology) -> None:
    started = [name for step in shape.steps for name in step]
    assert sorted(started) == sorted(shape.target)
    assert set(shape.ready) == set(shape.target)


def test_as_many_files_may_be_open_as_in_the_compose_file(shape: Topology) -> None:
    stated = file_of(shape)["services"][LLM]["ulimits"]["nofile"]
    assert {stated["soft"], stated["hard"]} == {f"${{OPEN_FILES:-{topology.OPEN_FILES}}}"}
    assert placed(shape)[GENERATOR]["ulimits"]["nofile"]["soft"] == topology.OPEN_FILES


def test_seeding_is_sealed_and_labelled_and_waits_for_health(shape: Topology) -> None:
    services = topology.seeding_override(shape, LABELS)["services"]
    assert services[POD]["network_mode"] == "none"
    assert set(services) == {POD, LLM, "prepare", *shape.target}
    assert all(one["labels"] == LABELS and "healthcheck" not in one for one in services.values())


def test_each_instance_has_a_port_that_is_waited_for(shape: Topology) -> None:
    assert shape.ports == tuple(range(8080, 8080 + len(shape.ports)))
    assert all(f":{port}" in url for port, url in zip(shape.ports, shape.ready[shape.steps[-1][-1]], strict=True))
