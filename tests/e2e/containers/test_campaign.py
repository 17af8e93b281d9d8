"""A campaign of both targets in containers, through the command line."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from harness import results
from harness.environments.secret import secret_of
from harness.errors import EXIT_DONE, EXIT_INVALID
from harness.probes import audit
from harness.records import Trial
from tests.e2e.campaigns.bad_days_campaign import ROOT
from tests.e2e.containers.engine import ContainerPlace, prepared

pytestmark = [pytest.mark.docker, pytest.mark.timeout(2_700)]  # it may be the first to need the images

PATIENCE_S = 1_800.0  # two audits, a minute each, on a machine that other tests keep busy
SERVICES = {
    "streamlit": ["pod", "llm", "app", "generator"],
    "django+angular": ["pod", "llm", "postgres", "redis", "api", "web", "generator"],
}
#: what a target has nothing of, so that an audit cannot try it
ABSENT = {"streamlit": "operations-conformant", "django+angular": "websocket-origin"}
ROLES = {"pod": "model", "llm": "model", "generator": "generator"}  # the rest is the target
#: a person's own words for the campaign; shorter than the profile smoke
PROFILE = """
purpose = "a campaign of seconds"
think_s = 0.5
turns_per_conversation = 3
idle = false
audit = true

[answer]
ttft_s = 0.05
itl_s = 0.01
tokens = 4

[window]
measure_min_s = 2
measure_max_s = 4
measure_turns = 8
drain_s = 2

[search]
base_users = 3
repetitions = 1
highest = 3
max_trials = 1
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> ContainerPlace:
    """Where the campaign was run, to its end."""
    for name in SERVICES:
        prepared(name)
    found = ContainerPlace(tmp_path_factory.mktemp("campaign"))
    found.profile.write_text(PROFILE)
    with found.command(*found.measuring(*SERVICES)) as command:
        ended = command.end(PATIENCE_S)
        assert found.left(command.process.pid) == []
    assert ended.code in (EXIT_DONE, EXIT_INVALID), ended.err  # a busy machine may leave a capacity unsettled
    return found


@pytest.fixture(params=list(SERVICES))
def measured(request: pytest.FixtureRequest) -> str:
    """Each target."""
    return str(request.param)


@pytest.fixture
def trials(place: ContainerPlace, measured: str) -> list[tuple[Path, Trial]]:
    """The trials of a target, with their folders."""
    return [
        (folder, trial) for folder, trial in results.read_trials(place.run_folder()) if trial.key.target == measured
    ]


def read(file: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(file.read_text())


def test_every_trial_had_exactly_two_cpus_and_four_gib_and_no_swap(trials: list[tuple[Path, Trial]]) -> None:
    assert [trial.key.scenario for _, trial in trials][:3] == ["check", "audit", "chat"]
    for _, trial in trials:
        limits = trial.limits
        assert len(limits.cpus) == 2
        assert (limits.memory_bytes, limits.swap_bytes) == (4 << 30, 0)
        assert (limits.cpu_enforced, limits.memory_enforced, limits.shortfall) == (True, True, None)
        assert limits.how.startswith("Docker ")
        assert "parent group" in limits.how or "declared split" in limits.how
        assert set(limits.generator_cpus).isdisjoint(limits.cpus) == limits.spare_cpus


def loaded(trials: list[tuple[Path, Trial]]) -> list[tuple[Path, Trial]]:
    """Return the trials that have a generator."""
    return [(folder, trial) for folder, trial in trials if trial.key.scenario != "audit"]


def test_the_generator_recorded_turns_of_every_trial(trials: list[tuple[Path, Trial]]) -> None:
    for folder, trial in loaded(trials):
        assert trial.summary is not None
        assert trial.summary.turns_written == len(results.read_turns(folder)) > 0
        assert trial.figures["ok"]
        assert not [reason for reason in trial.verdict.reasons if reason.code.startswith(("target.", "invalid.budget"))]


def test_every_component_names_its_role_version_and_image(trials: list[tuple[Path, Trial]], measured: str) -> None:
    built = prepared(measured).images
    for _, trial in loaded(trials):
        assert [one.name for one in trial.components] == SERVICES[measured]
        for one in trial.components:
            assert one.role == ROLES.get(one.name, "target")
            assert one.version not in ("", "unknown"), one.name
            assert one.image == built[one.name].digest
            assert one.image.startswith("sha256:")


def test_every_component_has_its_own_readings(trials: list[tuple[Path, Trial]], measured: str) -> None:
    folder, _ = loaded(trials)[1]
    readings = results.read_resources(folder)
    assert set(readings["component"]) == set(SERVICES[measured])
    for name, rows in readings.groupby("component"):
        assert rows["cpu_s"].is_monotonic_increasing, name
        assert rows["cpu_s"].max() > 0, name
        assert rows["anon_bytes"].max() > 0, name
        assert rows["peak_bytes"].max() >= rows["working_set_bytes"].max() > 0, name
        assert rows["processes"].max() >= 1, name


def test_what_the_engine_says_of_the_containers_is_kept(trials: list[tuple[Path, Trial]], measured: str) -> None:
    for folder, _ in loaded(trials):
        seen = read(folder / "containers.json")["containers"]
        assert list(seen) == SERVICES[measured]
        for name, one in seen.items():
            assert (folder / "logs" / f"{name}.log").exists()
            assert (one["oom_killed"], one["restarts"]) == (False, 0), name
            assert one["running"] == (name != "generator"), name
            assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"]), name
            assert one["user"].partition(":")[0] not in ("", "0", "root"), name
            assert one["network"] == ("none" if name == "pod" else "container"), name


def test_the_contract_was_checked_inside_the_pod(trials: list[tuple[Path, Trial]]) -> None:
    folder, trial = trials[0]
    assert trial.verdict.outcome == "pass"
    checks = read(folder / "checks.json")["checks"]
    assert checks
    assert [one for one in checks if not one["passed"]] == []
    assert trial.figures["cold_start_s"]


def test_the_target_was_audited_inside_the_pod(trials: list[tuple[Path, Trial]], measured: str) -> None:
    folder, trial = trials[1]
    assert (trial.key.scenario, trial.verdict.outcome) == ("audit", "pass"), trial.verdict
    findings = {one.name: one for one in results.read_audit(folder)}
    assert list(findings) == [probe.name for probe in audit.probes()]
    untried = {name: one.text for name, one in findings.items() if one.outcome == "not measured"}
    assert set(untried) == {"hostile-answers", "hostile-titles", ABSENT[measured]}, untried
    assert findings["hostile-answers"].text.startswith("no browser in a sealed container")
    tasks = findings["scripted-tasks"]
    assert (tasks.outcome, tasks.passed) == ("passed", 10), tasks.details


def test_the_run_names_the_services_and_their_versions(place: ContainerPlace) -> None:
    run = results.read_run(place.run_folder())
    assert run.runtime == "docker"
    parts = {part["name"]: part["version"] for part in run.targets["django+angular"].parts}
    assert list(parts) == ["django", "angular", "postgresql", "redis", "nginx"]
    assert all(version[0].isdigit() for version in parts.values()), parts
    assert (place.run_folder() / "report" / "report.html").exists()


def test_no_secret_is_in_any_file_of_the_results(place: ContainerPlace) -> None:
    secret = secret_of(ROOT)
    password = prepared("django+angular").settings["DB_PASSWORD"]
    assert password == hashlib.sha256(f"{secret}:database".encode()).hexdigest()[:32]
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        content = path.read_bytes()
        assert secret.encode() not in content, path
        assert password.encode() not in content, path
