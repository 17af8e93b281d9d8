"""What a containerised target is made of, its seeded data, and a trial that did not have the budget."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness import profiles, targets
from harness.analysis.verdict import invalid_budget
from harness.cli import DEFAULT_TARGETS
from harness.errors import BenchError, UsageError
from harness.host.accounting import Account
from harness.host.cgroups import Hierarchy
from harness.records import Component, Limits, TargetInfo, TrialKey
from harness.runtimes.docker import engine, runtime, seeding, topology
from harness.runtimes.docker.container_set import ContainerSet, Running
from harness.runtimes.docker.images import Image
from harness.runtimes.docker.prepared import DockerPrepared
from harness.runtimes.docker.runtime import DockerRuntime
from harness.runtimes.protocol import GENERATOR, Stack
from harness.trials.context import TrialContext
from harness.trials.trial import run_trial
from tests import ROOT
from tests.doubles.trials import LIMITS

CATALOGUE = targets.discover(ROOT / "targets")
VERSIONS = {"django": "5", "streamlit": "1", "postgresql": "15", "redis": "7", "nginx": "1.22", "@angular/core": "22"}


@pytest.mark.parametrize("name", [*DEFAULT_TARGETS, "streamlit:1.44", "fastapi+streamlit"])
def test_every_image_of_a_target_has_its_dockerfile(name: str) -> None:
    target = CATALOGUE.target(name)
    wanted = runtime._dockerfiles(target, CATALOGUE, ROOT)
    assert [file for file in wanted.values() if not file.is_file()] == []
    tags = runtime._tags(target)
    assert set(tags.values()) == set(wanted)
    shape = topology.MODULAR if target.web else topology.monolith(1)
    assert set(tags) == {"pod", "llm", "generator", *shape.target}


@pytest.mark.parametrize("name", ["django:plain+angular", "django:sqlite+angular", "streamlit:plain"])
def test_a_variant_that_no_image_starts_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{name}: containers start")) as refused:
        runtime._dockerfiles(CATALOGUE.target(name), CATALOGUE, ROOT)
    assert "--runtime local" in refused.value.hint


def test_the_databases_password_follows_from_the_secret_and_fits_into_an_address(tmp_path: Path) -> None:
    target = CATALOGUE.target("django+angular")
    settings = runtime._settings(target, tmp_path, 42)
    again = runtime._settings(target, tmp_path, 42)
    assert settings == again
    assert settings["DB_PASSWORD"] not in settings["SECRET_KEY"]
    assert settings["DB_PASSWORD"].isalnum()
    assert (settings["API"], settings["WEB"], settings["SEED"]) == ("django", "angular", "42")
    assert runtime._settings(CATALOGUE.target("streamlit:2"), tmp_path, 42)["INSTANCES"] == "2"


def test_a_variant_with_requirements_of_its_own_has_an_image_of_its_own(tmp_path: Path) -> None:
    plain, twice, older = (CATALOGUE.target(name) for name in ("streamlit", "streamlit:2", "streamlit:1.44"))
    assert runtime._tags(plain) == runtime._tags(twice)
    assert runtime._tags(older)["app"] == "chatbench/app-streamlit-1.44"
    assert runtime._arguments(plain) == runtime._arguments(twice) == {}
    assert runtime._arguments(older) == {"chatbench/app-streamlit-1.44": {"REQUIREMENTS": "requirements-1.44.txt"}}
    # the Compose file, which a person uses without the harness, makes both names of this one word
    assert runtime._settings(older, tmp_path, 42)["EDITION"] == "-1.44"
    assert runtime._settings(twice, tmp_path, 42)["EDITION"] == ""


def test_the_page_of_a_hybrid_is_named_and_waited_for_as_what_it_is() -> None:
    hybrid, modular = CATALOGUE.target("django+streamlit"), CATALOGUE.target("django+angular")
    assert runtime._tags(hybrid)["web"] == "chatbench/web-streamlit"
    assert runtime._ready(hybrid) == {"backend": "/api/health", "server": "/_stcore/health"}
    assert runtime._ready(modular) == {"backend": "/api/health", "server": "/"}
    images = {name: Image(tag=name, digest=name, versions=VERSIONS) for name in runtime._tags(hybrid)}
    shown = {part["name"]: part["version"] for part in runtime._info(hybrid, CATALOGUE, images).parts}
    assert shown == {"django": "5", "streamlit": "1", "postgresql": "15", "redis": "7"}
    assert "nginx" in {part["name"] for part in runtime._info(modular, CATALOGUE, images).parts}
    assert runtime._versions(hybrid, CATALOGUE, images)["web"] == "1"


def test_secrets_are_not_shown_where_a_prepared_target_is() -> None:
    shown = repr(a_prepared({"SECRET_KEY": "hidden"}))
    assert "hidden" not in shown


def test_a_template_is_named_after_the_images_and_settings_it_was_made_of() -> None:
    images, settings = {"api": "sha256:1", "postgres": "sha256:2"}, {"SEED": "42", "SECRET_KEY": "hidden"}
    name = seeding.template_name(images, settings)
    assert name.startswith("chatbench-seeded-")
    assert "hidden" not in name
    assert name == seeding.template_name(dict(reversed(images.items())), dict(reversed(settings.items())))
    others = {
        seeding.template_name({**images, "api": "sha256:3"}, settings),
        seeding.template_name(images, {**settings, "SEED": "43"}),
        seeding.template_name(images, {**settings, "SECRET_KEY": "another"}),
    }
    assert len({name, *others}) == 4


def test_the_runtime_needs_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    with pytest.raises(BenchError, match="no Docker engine answers"):
        DockerRuntime()


class SilentEngine:
    """An engine that knows nothing and is asked to remove nothing."""

    def __init__(self) -> None:
        self.containers = self.volumes = self

    def info(self) -> dict[str, str]:
        return {"ServerVersion": "27.0"}

    def list(self, **_: object) -> list[object]:
        return []


def test_the_runtime_needs_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "connect", SilentEngine)
    monkeypatch.setattr(engine, "programs", lambda _: [])
    monkeypatch.delenv(engine.COMPOSE_VARIABLE, raising=False)
    with pytest.raises(BenchError, match="Docker Compose is not installed"):
        DockerRuntime()


def a_prepared(settings: Mapping[str, str] | None = None) -> DockerPrepared:
    info = TargetInfo(
        title="One",
        kind="monolith",
        protocol="openai",
        instances=1,
        python_processes=1,
        processes="",
        features=(),
        parts=(),
    )
    return DockerPrepared(
        target=CATALOGUE.target("streamlit"),
        seed=1,
        info=info,
        shape=topology.monolith(1),
        compose_file=Path("monolith.yaml"),
        images={"app": Image(tag="chatbench/one", digest="sha256:1", versions={})},
        versions={},
        template="chatbench-seeded-1",
        ready={"backend": "/", "server": "/"},
        streamlit_site=None,
        settings=settings or {},
    )


@dataclass(slots=True)
class ShortPod:
    """A pod whose generator ends at once, under limits that are not the budget."""

    folder: Path
    shortfall: str | None
    reached: bool | None = True

    def __enter__(self) -> "ShortPod":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def limits(self) -> Limits:
        return replace(LIMITS, shortfall=self.shortfall)

    def launch(self, *_: object) -> Stack:
        log = self.folder / "emissions.jsonl"
        log.touch()
        return Stack(instances=("http://x",), model_url="http://y", model_log=log, ready_after_s=1.0)

    def generate(self, *_: object) -> None:
        pass

    def inside(self, *_: object) -> list[object]:
        raise AssertionError("a target that died is not checked")

    def components(self) -> tuple[Component, ...]:
        named = (("app", "target"), (GENERATOR, "generator"))
        return tuple(Component(name=name, role=role, version="1") for name, role in named)  # type: ignore[arg-type]

    def sample(self) -> list[object]:
        return []

    def exited(self) -> list[tuple[str, int]]:
        return [("app", 137), (GENERATOR, 0)]

    def oom_kills(self) -> int:
        return 1

    def memory_limit_reached(self) -> bool | None:
        return self.reached

    def wait(self, *_: object) -> int:
        return 0

    def stop(self) -> None:
        pass


@dataclass(slots=True)
class ShortRuntime:
    """Opens pods that lack something of the budget, or of the machine's memory."""

    shortfall: str | None
    reached: bool | None = True

    def prepare(self, *_: object) -> DockerPrepared:
        raise AssertionError("the target is prepared already")

    def open_trial(self, _: str, folder: Path) -> Any:
        return ShortPod(folder, self.shortfall, self.reached)


@pytest.mark.parametrize("scenario", ["check", "chat"])
@pytest.mark.parametrize("shortfall", ["memory is held to 3.00 GiB, not 4.00", None])
def test_a_trial_without_the_budget_is_invalid_whatever_else_happened(
    tmp_path: Path, scenario: str, shortfall: str | None
) -> None:
    profile = profiles.load("smoke")
    context = TrialContext(run=tmp_path, runtime=ShortRuntime(shortfall), profile=profile, tell=lambda *_: None)
    key = TrialKey(target="streamlit", scenario=scenario, level=2, repetition=0, number=1)
    trial = run_trial(context, a_prepared(), key)
    if shortfall is None:
        assert trial.verdict.outcome == "fail"
        assert [reason.code for reason in trial.verdict.reasons[:2]] == ["target.oom", "target.exit"]
    else:
        assert trial.verdict == invalid_budget(shortfall)
        assert trial.verdict.outcome == "invalid"
        assert trial.verdict.reasons[0].code == "invalid.budget"
        assert shortfall in trial.verdict.reasons[0].text
    assert trial.limits.shortfall == shortfall


@pytest.mark.parametrize("scenario", ["check", "chat"])
def test_a_target_killed_below_its_own_limit_makes_the_trial_invalid(tmp_path: Path, scenario: str) -> None:
    runtime = ShortRuntime(shortfall=None, reached=False)
    context = TrialContext(run=tmp_path, runtime=runtime, profile=profiles.load("smoke"), tell=lambda *_: None)
    key = TrialKey(target="streamlit", scenario=scenario, level=2, repetition=0, number=1)
    trial = run_trial(context, a_prepared(), key)
    assert trial.verdict.outcome == "invalid"
    assert [reason.code for reason in trial.verdict.reasons] == ["invalid.machine_memory"]


@pytest.mark.parametrize(
    ("events", "reached"),
    [(("oom 0", "oom 2"), True), (("oom 0", "oom 0"), False), (("oom 0", None), None), (("oom 1", None), True)],
)
def test_a_container_that_took_its_group_along_leaves_open_whether_its_limit_was_reached(
    tmp_path: Path, events: tuple[str | None, ...], reached: bool | None
) -> None:
    containers = ContainerSet()
    for n, text in enumerate(events):
        folder = tmp_path / f"{n}"
        if text is not None:
            folder.mkdir()
            (folder / "memory.events").write_text(f"{text}\noom_kill 1\n")
        containers._running[f"app{n}"] = Running(
            component=Component(name=f"app{n}", role="target", version="1"),
            container=None,  # type: ignore[arg-type]  # not asked
            pid=1,
            mark="",
            hierarchy=Hierarchy(version=2, own={"memory": folder}, tops={}),
            account=Account(leader=1),
        )
    assert containers.memory_limit_reached() == reached


def test_without_an_application_there_is_no_image_no_data_and_no_service_of_one(tmp_path: Path) -> None:
    target = CATALOGUE.target("no-app")
    tags = runtime._tags(target)
    assert set(tags) == {"pod", "llm", "generator"}
    assert set(runtime._dockerfiles(target, CATALOGUE, ROOT)) == set(tags.values())
    shape = topology.of_target(target)
    assert (shape.target, shape.steps, shape.ports) == ((), (), ())
    assert "APP" not in runtime._settings(target, tmp_path, 42)
    place = topology.Placement(target_cpus="0,1", other_cpus="2,3", target_group=None, others_group=None)
    laid_over = topology.override(shape, place, topology.Mounts(trial="/t", data="d"), {}, ["locust"])
    assert set(laid_over["services"]) == {"pod", "llm", "generator"}
    built = {name: Image(tag=tag, digest="sha256:1", versions={"uvloop": "0.23"}) for name, tag in tags.items()}
    info = runtime._info(target, CATALOGUE, built)
    assert (info.kind, info.instances, info.python_processes) == ("control", 0, 0)
    assert [(part["name"], part["version"]) for part in info.parts] == [("llm", "0.23")]


def test_other_targets_keep_their_topology() -> None:
    assert topology.of_target(CATALOGUE.target("django+angular")) == topology.MODULAR
    assert topology.of_target(CATALOGUE.target("streamlit:2")) == topology.monolith(2)
