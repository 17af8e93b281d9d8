"""One trial's containers: a sealed pod that Compose puts up under the budget, read through its control groups."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from docker.types import Mount

from harness import results
from harness.errors import BenchError
from harness.host import accounting, watchdog
from harness.host.meter import Meter
from harness.host.watchdog import Watchdog
from harness.records import AnswerPlan, Component, Limits, LoadPlan, ResourceSample, to_json
from harness.runtimes import inside
from harness.runtimes.docker import budget, engine, seeding, topology
from harness.runtimes.docker.container_set import ContainerSet
from harness.runtimes.docker.prepared import DockerPrepared
from harness.runtimes.docker.project import Project
from harness.runtimes.docker.site import Site
from harness.runtimes.docker.topology import LLM, POD, TRIAL_FOLDER
from harness.runtimes.inside import tail_of
from harness.runtimes.protocol import GENERATOR, MODEL_PATIENCE_S, Stack

READY_LIMIT_S = 60
LOG_LINES = 5000
REMOVE_S = 4.0
LOCUST = "python -m locust -f /opt/chatbench/loadtests/locustfile.py --headless --only-summary --loglevel WARNING"


def seen_inside(plan: LoadPlan) -> LoadPlan:
    """Return a plan with the paths that the generator's container sees."""
    return replace(
        plan,
        output=TRIAL_FOLDER,
        stop_file=f"{TRIAL_FOLDER}/stop",
        streamlit_site=topology.SITE_FOLDER if plan.protocol == "streamlit" else plan.streamlit_site,
        user_class=f"{topology.USER_FOLDER}/{Path(plan.user_class).name}" if plan.user_class else None,
    )


class DockerPod:
    """One trial's containers; see ``harness.runtimes.protocol.Pod``."""

    def __init__(self, name: str, folder: Path, site: Site) -> None:
        self._site = site
        self._folder = folder
        self._private = Path(tempfile.mkdtemp(prefix="chatbench-pod-"))
        unique = f"{name}-{self._private.name.rpartition('-')[2].lower().replace('_', 'x')}"
        self._name = f"chatbench-{unique}"
        self._labels = {engine.HARNESS_LABEL: engine.harness_mark(), engine.TRIAL_LABEL: self._name}
        self._ledger = ContainerSet()
        self._limits: Limits | None = None
        self._oom_kills = 0
        self._stopped = False
        self._guard = Watchdog()
        self._guard.watch("folder", self._private)
        self._guard.watch_command(engine.sweeper(self._labels[engine.HARNESS_LABEL]))
        self._parents = budget.make_parents(
            site.hierarchy, site.driver, f"{unique}-{os.getpid()}", site.split, site.budget
        )
        for group in self._parents.folders():
            self._guard.watch("cgroup", group)
        self._meter = Meter(None, [self._guard.pid])
        self._project: Project | None = None
        self._prepared: DockerPrepared | None = None

    def __enter__(self) -> "DockerPod":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        except BenchError:
            if error is None:  # else what went wrong first is what a person should read
                raise

    @property
    def stopped(self) -> bool:
        """Tell whether the trial is over."""
        return self._stopped

    def limits(self) -> Limits:
        """Return the limits as the kernel enforces them on the target's containers, as long as all of them run."""
        if self._limits is None:
            raise BenchError("no limits can be read back before the target's containers run", "launch it first")
        with suppress(FileNotFoundError):  # the groups of one that has just ended
            again = self._read_limits()
            if all(one.alive for one in self._ledger if one.component.role == "target"):
                self._limits = again  # somebody may have changed them meanwhile
        return self._limits

    def launch(self, prepared: DockerPrepared, answer: AnswerPlan, messages_per_minute: int) -> Stack:
        """Put the pod up on a copy of the seeded data; see ``harness.runtimes.protocol.Pod``."""
        self._prepared = prepared
        shape, volume = prepared.shape, f"{self._name}-data"
        self._project = self._made_project(prepared, answer, volume, messages_per_minute)
        if prepared.template is not None:
            seeding.copy(self._site.client, prepared.template, volume, prepared.images[POD].tag, self._labels)
        self._project.up(POD, LLM)
        self._note(POD, LLM)
        self._wait_ready(LLM, f"http://127.0.0.1:{topology.LLM_PORT}/health")
        started_s = time.monotonic()
        for group in shape.steps:
            self._project.up(*group)
            self._note(*group)
            for service in group:
                for url in shape.ready[service]:
                    self._wait_ready(service, url.format_map(prepared.ready))
        ready_after_s = time.monotonic() - started_s
        self._limits = self._read_limits()
        model_url = f"http://127.0.0.1:{topology.LLM_PORT}"
        path = "" if prepared.target.kind == "modular" else prepared.target.server.local.path
        return Stack(
            instances=tuple(f"http://127.0.0.1:{port}{path}" for port in shape.ports) or (f"{model_url}/v1",),
            api_url=topology.API_URL + prepared.target.backend.local.path if prepared.target.kind == "hybrid" else None,
            model_url=model_url,
            model_log=self._folder / "emissions.jsonl",
            log_inside=f"{TRIAL_FOLDER}/emissions.jsonl",
            site_inside=topology.SITE_FOLDER if prepared.streamlit_site else None,
            ready_after_s=ready_after_s,
        )

    def _read_limits(self) -> Limits:
        target = {one.component.name: one.hierarchy for one in self._ledger if one.component.role == "target"}
        return budget.read_back(
            target,
            self._parents,
            self._site.split,
            self._site.budget,
            f"Docker {self._site.version}, Compose {self._site.compose_version}",
        )

    def generate(self, plan: LoadPlan) -> None:
        """Write the plan, in the paths the generator's container sees, and start it."""
        results.write_json(self._folder / "plan.json", to_json(seen_inside(plan)))
        self._up().up(GENERATOR)
        self._note(GENERATOR)

    def _launched(self) -> DockerPrepared:
        if self._prepared is None:
            raise RuntimeError("nothing was launched")
        return self._prepared

    def inside(self, purpose: str, module: str, words: Sequence[str]) -> list[dict[str, Any]]:
        """Run a module of the generator's image inside the pod; see ``harness.runtimes.protocol.Pod``."""
        with engine.reached(purpose):
            container = self._site.client.containers.run(**self._helper(["-m", module, *words]))
            try:
                code = engine.exit_code(container, inside.LIMIT_S)
                printed = bytes(container.logs(stdout=True, stderr=False)).decode(errors="replace")
                complained = bytes(container.logs(stdout=False, stderr=True)).decode(errors="replace")
            finally:
                engine.remove(container)
        if code is None:
            raise inside.too_late(purpose, complained)
        return inside.printed_list(purpose, code, printed, complained)

    def _helper(self, words: list[str]) -> dict[str, Any]:
        """Return how a container is started whose Python runs beside the pod's others, on the others' CPUs."""
        prepared = self._launched()
        seen = {TRIAL_FOLDER: self._folder}
        if prepared.streamlit_site:
            seen[topology.SITE_FOLDER] = prepared.streamlit_site
        return {
            "image": prepared.images[GENERATOR].tag,
            "command": words,
            "entrypoint": "/opt/venv/bin/python",
            "network_mode": f"container:{self._ledger[POD].container.id}",
            "user": self._site.user,
            "mounts": [Mount(there, str(here), type="bind", read_only=True) for there, here in seen.items()],
            "labels": self._labels,
            "cpuset_cpus": budget.placement(self._parents, self._site.split).other_cpus,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "read_only": True,
            "detach": True,
        }

    def components(self) -> tuple[Component, ...]:
        """Return what was started, in that order."""
        return tuple(one.component for one in self._ledger)

    def sample(self) -> list[ResourceSample]:
        """Return one reading of every container now."""
        return self._ledger.sample(self._meter)

    def exited(self) -> list[tuple[str, int]]:
        """Return containers that ended without being asked to, with their return code."""
        return self._ledger.exited()

    def model_silent(self, stack: Stack) -> str:
        """Return why the model does not answer a request from inside the pod; empty where it does."""
        command = ["/opt/ready", f"{stack.model_url}/health", str(MODEL_PATIENCE_S)]
        with engine.reached("asking the model"):
            done = self._ledger[POD].container.exec_run(command)
        return bytes(done.output).decode(errors="replace").strip() or "no reason" if done.exit_code else ""  # type: ignore[arg-type]  # not streamed: bytes

    def oom_kills(self) -> int:
        """Return how many of the target's processes were killed for lack of memory; still right once stopped."""
        return self._oom_kills if self._stopped else self._ledger.oom_kills()

    def memory_limit_reached(self) -> bool | None:
        """Tell whether the target reached its own memory limit; see ``harness.runtimes.protocol.Pod``."""
        if self._parents.groups is not None and self._parents.target is not None:
            return accounting.limit_reached(self._parents.target, self._parents.groups.version)
        return self._ledger.memory_limit_reached()

    def wait(self, name: str, timeout_s: float) -> int | None:
        """Wait for a container to end; its return code, or None when it still runs."""
        return self._ledger.wait(name, timeout_s)

    def stop(self) -> None:
        """Stop and remove containers, volume and groups; may be called again."""
        if self._stopped:
            return
        with suppress(BenchError):  # of a lost engine, which what follows will find too
            self._oom_kills = self._ledger.oom_kills()
        self._ledger.all_asked_to_end()
        self._stopped = True
        failures = [self._trying(self._keep_evidence), self._trying(self._take_down), self._trying(self._sweep)]
        if failures[-1] is not None:
            # Without the engine its containers may live on; their groups can still be emptied.
            groups = [*self._parents.folders(), *(one.hierarchy.own["memory"] for one in self._ledger)]
            watchdog.kill_everything(groups, (), time.monotonic() + REMOVE_S)
        left = self._close()
        failure = next(filter(None, failures), None)
        if failure is not None:
            raise failure
        if left:
            raise BenchError(
                f"control groups of the trial could not be removed: {', '.join(map(str, left))}",
                "see which processes are stuck in them (`cat cgroup.procs`), then remove them with rmdir",
            )

    def _trying(self, step: Callable[[], None]) -> BenchError | None:
        """Do one step of stopping; its failure must not keep the next from being done."""
        try:
            step()
        except BenchError as failure:
            return failure
        return None

    def _take_down(self) -> None:
        if self._project is not None:
            self._project.down()

    def _sweep(self) -> None:
        with engine.reached("removing what is left of the trial"):
            engine.sweep_trial(self._site.client, self._name)

    def _close(self) -> list[Path]:
        """Remove everything but containers; return the groups that could not be."""
        deadline_s = time.monotonic() + REMOVE_S
        left = [group for group in self._parents.folders() if not watchdog.remove_group(group, deadline_s)]
        shutil.rmtree(self._private, ignore_errors=True)
        self._site.take_back(self._folder)
        self._guard.close()
        return left

    def _up(self) -> Project:
        if self._project is None:
            raise RuntimeError("nothing was launched")
        return self._project

    def _made_project(
        self, prepared: DockerPrepared, answer: AnswerPlan, volume: str, messages_per_minute: int
    ) -> Project:
        self._site.hand_over(self._folder)
        readable = {topology.SITE_FOLDER: str(prepared.streamlit_site)} if prepared.streamlit_site else {}
        if prepared.target.user_class:
            readable[topology.USER_FOLDER] = str(Path(prepared.target.user_class).parent)
        mounts = topology.Mounts(
            trial=str(self._folder),
            data=volume,
            readable=readable,
            user=self._site.user,
        )
        place = budget.placement(self._parents, self._site.split)
        laid_over = topology.override(prepared.shape, place, mounts, self._labels, LOCUST.split())
        results.write_json(self._folder / "compose.override.json", laid_over)
        settings = {
            **prepared.settings,
            "DATA_VOLUME": volume,
            "RATE_LIMIT_PER_MINUTE": str(messages_per_minute),
            "LLM_TTFT_S": str(answer.ttft_s.median),
            "LLM_TTFT_SIGMA": str(answer.ttft_s.sigma),
            "LLM_ITL_S": str(answer.itl_s),
            "LLM_TOKENS": str(int(answer.tokens.median)),
            "LLM_TOKENS_SIGMA": str(answer.tokens.sigma),
            "LLM_TOKENS_QUANTILES": ",".join(map(str, answer.tokens_quantiles)),
            "LLM_LOG": f"{TRIAL_FOLDER}/emissions.jsonl",
        }
        return Project(
            name=self._name,
            files=(prepared.compose_file, self._folder / "compose.override.json"),
            compose=self._site.compose,
            client=self._site.client,
            settings=settings,
            noted=lambda pid: self._guard.watch("session", pid),
        )

    def _note(self, *services: str) -> None:
        """Take containers that were just started into the books.

        Raises:
            BenchError: one ended at once, with the end of what it printed.
        """
        for service in services:
            container = self._up().container(service)
            with engine.reached(f"inspecting {service}"):
                container.reload()
            state: Mapping[str, Any] = container.attrs["State"]
            self._as_prepared(service, str(container.attrs["Image"]))
            pid = int(state["Pid"])
            hierarchy = budget.of_process(pid) if pid else None
            if hierarchy is None:
                raise BenchError(
                    f"{service} ended at once with {state['ExitCode']}:{tail_of(self._up().logs(service))}",
                    "start it by hand with `docker compose up`; see the part's README",
                )
            component = Component(
                name=service,
                role=topology.role_of(service),
                version=self._prepared.versions.get(service, "") if self._prepared else "",
                endpoint=None,
                image=str(container.attrs["Image"]),
            )
            try:
                self._ledger.add(component, container, pid, hierarchy)
            except (FileNotFoundError, ProcessLookupError) as gone:
                printed = tail_of(self._up().logs(service))
                raise BenchError(f"{service} ended at once:{printed}", "start it by hand with Compose") from gone

    def _as_prepared(self, service: str, digest: str) -> None:
        image = self._prepared.images.get(service) if self._prepared else None
        if image is not None and image.digest != digest:
            raise BenchError(
                f"the image {image.tag} was built anew during the campaign", "start a new run, and leave images alone"
            )

    def _wait_ready(self, service: str, url: str) -> None:
        target = self._launched().target
        parts = {"api": target.backend, "app": target.server, "web": target.server}
        limit_s = parts[service].local.ready_within_s if service in parts else READY_LIMIT_S
        with engine.reached(f"waiting for {service}"):
            done = self._ledger[POD].container.exec_run(["/opt/ready", url, f"{limit_s:.0f}"])
        if done.exit_code:
            why = bytes(done.output).decode(errors="replace").strip()  # type: ignore[arg-type]  # not streamed: bytes
            ended = "" if self._ledger[service].alive else " ended and"
            printed = tail_of(self._up().logs(service))
            raise BenchError(
                f"{service}{ended} was not ready at {url} after {limit_s:g} s ({why}):{printed}",
                "raise ready_within_s in part.toml where it needs longer; or start it by hand with `docker compose up`",
            )

    def _keep_evidence(self) -> None:
        """Keep what the containers printed last and what the engine says of them, in the trial's folder."""
        project = self._project
        if project is None:
            return
        for one in self._ledger:
            log = self._folder / "logs" / f"{one.component.name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(project.logs(one.component.name, LOG_LINES), encoding="utf-8")
        results.write_json(self._folder / "containers.json", {"containers": self._ledger.evidence()})
