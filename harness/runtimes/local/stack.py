"""A target's local stack: its environments and seeded data made ready, its components launched in order."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness import environments
from harness.environments.secret import database_password, secret_of
from harness.errors import BenchError
from harness.records import AnswerPlan, TargetInfo
from harness.results import slug
from harness.runtimes.local import postgres, seeding, services, versions
from harness.runtimes.local.component import Launch, Starter
from harness.runtimes.local.words import Tools, filled, filled_in
from harness.runtimes.model_settings import model_settings, reads_secrets, write_secrets
from harness.runtimes.protocol import UNLIMITED_PER_MINUTE, Report, Stack
from harness.runtimes.target_info import target_info
from harness.targets import Catalogue, Part, Target, varied


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalPrepared:
    """A target ready to be started as often as wanted."""

    target: Target
    pythons: tuple[Path | None, ...]  # of the target's servers, in their order; None: it has no packages
    model: Part
    model_python: Path
    web: Path | None
    postgres: Path | None = None  # the folder of its programs
    redis: Path | None
    node: Path | None = None  # the program, where a part asks for it
    template: Path  # seeded data, copied for every start
    secret: str
    seed: int
    versions: Mapping[str, str]  # by component name
    info: TargetInfo

    @property
    def python(self) -> Path | None:
        """The environment of the part that answers the load; without an application that is the model."""
        return (self.model_python, *self.pythons)[-1]


def prepare(target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> LocalPrepared:
    """Make environments, front-end build and seeded data of a target, all kept for the next time.

    Raises:
        BenchError: an installation, build or seeding that failed, with the last lines of its log.
    """
    with environments.alone(root):
        try:
            return _prepare(target, catalogue, root, seed, report)
        except postgres.PostgresError as error:
            raise without_postgres(target, error) from error


def _prepare(target: Target, catalogue: Catalogue, root: Path, seed: int, report: Report) -> LocalPrepared:
    backend, web = target.backend, target.web
    model = catalogue.model
    env, front_ends = environments.Environments(root, report), environments.FrontEnds(root, report)
    for part in target.servers:
        require_port(part)
    pythons = tuple(_python(env, part) for part in target.servers)
    database, database_version = _postgres(env, backend)
    redis, redis_version = env.ensure_redis() if "redis" in backend.local.needs else (None, "")
    built = front_ends.ensure_web(web.folder, web.local.dist) if web and web.local.dist else None
    if (model_python := _python(env, model)) is None:
        raise BenchError(f"{model.folder / 'part.toml'}: local.requirements is missing", "name its locked requirements")
    secret = secret_of(root)
    node = front_ends.ensure_node() / "node" if any(_asks_for_node(part) for part in target.servers) else None
    python_of = {part.kind: python for part, python in zip(target.servers, pythons, strict=True)}
    tools = {part.kind: Tools(python=python_of[part.kind], node=node) for part in target.servers}
    described = (model,) if target.no_app else target.parts
    nothing = Tools(python=model_python if target.no_app else None)
    parts = tuple(versions.described(part, tools.get(part.kind, nothing)) for part in described)
    if database:
        parts += ({"name": "postgresql", "title": "PostgreSQL", "package": "postgresql", "version": database_version},)
    if redis:
        parts += ({"name": "redis", "title": "Redis", "package": "redis-server", "version": redis_version},)
    known = {
        "postgres": database_version,
        "redis": redis_version,
        "llm": env.installed_version(model_python, model.package or "uvloop"),
        **{part["name"]: part["version"] for part in parts},
    }
    seeded_with = replace(tools.get(backend.kind, nothing), postgres=database)
    return LocalPrepared(
        target=target,
        pythons=pythons,
        model=model,
        model_python=model_python,
        web=built,
        postgres=database,
        redis=redis,
        node=node,
        template=seeding.template(backend, seeded_with, root, secret, seed, report),
        secret=secret,
        seed=seed,
        versions=known,
        info=target_info(target, parts),
    )


def _python(env: environments.Environments, part: Part) -> Path | None:
    """Return the Python of a part: of its requirements, of its ready environment, or none.

    Raises:
        BenchError: an environment is stated and not used, used and not stated, or cannot be made.
    """
    where, stated = part.folder / "part.toml", part.local.requirements or part.local.venv
    if stated and not part.local.uses_python:
        raise BenchError(
            f"{where}: no command uses the packages of {stated!r}",
            "start it by {python} or by a program in {bin}; or leave requirements and venv out",
        )
    if part.local.requirements:
        return env.ensure_python(part.name, part.folder / part.local.requirements, part.folder)
    if part.local.venv:
        python = part.folder / part.local.venv / "bin" / "python"
        if not python.exists():
            raise BenchError(
                f"{where}: local.venv: {python} does not exist",
                "name the folder of a virtual environment, or its requirements instead",
            )
        return python
    if part.local.uses_python:
        raise BenchError(
            f"{where}: {{python}} or {{bin}} is used, but neither requirements nor venv is stated",
            "name a requirements file in [local], or write another program instead",
        )
    return None


def require_port(part: Part) -> None:
    """Raise BenchError for a part that nothing starts, or that cannot know at which port it is to listen."""
    if not part.local.start:
        raise BenchError(
            f"{part.folder / 'part.toml'}: local.start is missing",
            'write the command that starts it: start = ["{python}", "server.py", "--port", "{port}"]',
        )
    if not part.local.holds("{port}"):
        raise BenchError(
            f"{part.folder / 'part.toml'}: neither local.start nor [local.env] holds {{port}}",
            "chatbench picks the port: write {port} where your program takes it, instead of a fixed one",
        )


def _asks_for_node(part: Part) -> bool:
    stated = part.version if isinstance(part.version, tuple) else ()
    commands = (*stated, *(word for command in part.local.prepare for word in command))
    return part.local.holds("{node}") or any("{node}" in word for word in commands)


def _postgres(env: environments.Environments, part: Part) -> tuple[Path | None, str]:
    if "postgres" not in part.local.needs:
        return None, ""
    try:
        return env.ensure_postgres()
    except BenchError as error:
        raise postgres.PostgresError(error.message, error.hint) from error


def without_postgres(target: Target, error: BenchError) -> BenchError:
    """Return an error of PostgreSQL whose hint names the target that does without it, if a variant makes one."""
    backend, *others = target.parts
    for name in backend.variants:
        if "postgres" not in varied(backend, name).local.needs:
            instead = "+".join([f"{backend.name}:{name}", *(part.name for part in others)])
            return BenchError(error.message, f"{error.hint}, or measure {instead}, which does without PostgreSQL")
    return error


def launch_model(pod: Starter, prepared: LocalPrepared, answer: AnswerPlan, folder: Path) -> tuple[str, Path]:
    """Start the stand-in language model and return its base URL and its log of emissions."""
    port, log = pod.free_port(), folder / "emissions.jsonl"
    values = {
        "python": str(prepared.model_python),
        "port": str(port),
        "seed": str(prepared.seed),
        "ttft_s": str(answer.ttft_s.median),
        "ttft_sigma": str(answer.ttft_s.sigma),
        "itl_s": str(answer.itl_s),
        "tokens": str(int(answer.tokens.median)),
        "tokens_sigma": str(answer.tokens.sigma),
        "tokens_quantiles": ",".join(map(str, answer.tokens_quantiles)),
        "log": str(log),
    }
    part = prepared.model
    pod.start(
        Launch(
            name="llm",
            role="model",
            command=tuple(filled(word, values) for word in part.local.start),
            cwd=part.folder,
            env=filled_in(part.local.env, values),
            log=folder / "logs" / "llm.log",
            version=prepared.versions["llm"],
            endpoint=f"http://127.0.0.1:{port}",
            ready_url=f"http://127.0.0.1:{port}{part.local.ready}",
        )
    )
    return f"http://127.0.0.1:{port}", log


def launch(
    pod: Starter,
    prepared: LocalPrepared,
    answer: AnswerPlan,
    folder: Path,
    messages_per_minute: int = UNLIMITED_PER_MINUTE,
) -> Stack:
    """Start model, services and all instances of a target on a fresh copy of its seeded data.

    Raises:
        BenchError: a component that does not come up, with its last log lines.
    """
    model_url, model_log = launch_model(pod, prepared, answer, folder)
    if prepared.target.no_app:
        return Stack(
            instances=(f"{model_url}/v1",),
            model_url=model_url,
            model_log=model_log,
            log_inside=str(model_log),
            ready_after_s=0.0,
        )
    data = pod.scratch() / "data"
    shutil.copytree(prepared.template, data)
    database = None
    if prepared.postgres:
        database = postgres.restored(prepared.postgres, data, pod.open_scratch(), database_password(prepared.secret))
    started = time.monotonic()
    settings = {
        "DATA_DIR": str(data),
        **model_settings(f"{model_url}/v1"),
        "SECRET_KEY": prepared.secret,
        "SEED": str(prepared.seed),
        "RATE_LIMIT_PER_MINUTE": str(messages_per_minute),
    }
    if any(reads_secrets(part.folder) for part in prepared.target.servers):
        write_secrets(pod.scratch(), settings)  # the home of all it starts
    log, versions = folder / "logs", prepared.versions
    if database:
        try:
            settings["DATABASE_URL"] = services.launch_postgres(
                pod, database, log / "postgres.log", versions["postgres"]
            )
        except BenchError as error:
            raise without_postgres(prepared.target, error) from error
    if prepared.redis:
        settings["REDIS_URL"] = services.launch_redis(pod, prepared.redis, data, log / "redis.log", versions["redis"])
    if prepared.web:
        settings["WEB_ROOT"] = str(prepared.web)
    backend, *in_front = prepared.target.servers
    urls = _launch_part(pod, prepared, backend, prepared.pythons[0], folder, settings)
    api_url = urls[0]
    for part, python in zip(in_front, prepared.pythons[1:], strict=True):
        # it keeps nothing and asks no model: all it is told is where the API is
        urls = _launch_part(pod, prepared, part, python, folder, {"API_BASE_URL": api_url})
    return Stack(
        instances=urls,
        api_url=api_url if in_front else None,
        model_url=model_url,
        model_log=model_log,
        log_inside=str(model_log),
        site_inside=None if (site := site_packages(prepared.python)) is None else str(site),
        ready_after_s=time.monotonic() - started,
    )


def _launch_part(
    pod: Starter, prepared: LocalPrepared, part: Part, python: Path | None, folder: Path, settings: Mapping[str, str]
) -> tuple[str, ...]:
    """Start all instances of one of the target's programs and return their URLs."""
    names = [slug(part.name)]
    if part.local.instances > 1:
        names = [f"{slug(part.name)}-{index + 1}" for index in range(part.local.instances)]
    return tuple(_launch_instance(name, pod, prepared, part, python, folder, settings) for name in names)


def _launch_instance(
    name: str,
    pod: Starter,
    prepared: LocalPrepared,
    part: Part,
    python: Path | None,
    folder: Path,
    settings: Mapping[str, str],
) -> str:
    """Start one instance of a program and return its URL."""
    return services.at_free_port(
        pod, lambda port: _launch_at(port, name, pod, prepared, part, python, folder, settings)
    )


def _launch_at(
    port: int,
    name: str,
    pod: Starter,
    prepared: LocalPrepared,
    part: Part,
    python: Path | None,
    folder: Path,
    settings: Mapping[str, str],
) -> str:
    values = {
        **Tools(python=python, node=prepared.node).words(),
        "port": str(port),
        "data": settings.get("DATA_DIR", ""),
        "llm": settings.get("LLM_BASE_URL", ""),
        "postgres": settings.get("DATABASE_URL", ""),
        "redis": settings.get("REDIS_URL", ""),
        "web": settings.get("WEB_ROOT", ""),
        "api": settings.get("API_BASE_URL", ""),
        "secret": prepared.secret,
        "seed": str(prepared.seed),
    }
    url = f"http://127.0.0.1:{port}{part.local.path}"
    pod.start(
        Launch(
            name=name,
            role="target",
            command=tuple(filled(word, values) for word in part.local.start),
            cwd=part.folder,
            # what a trial needs (data, model, rate limit out of reach) wins over what suits a person
            env={**filled_in(part.local.env, values), **settings},
            log=folder / "logs" / f"{name}.log",
            version=prepared.versions[part.name],
            endpoint=url,
            ready_url=url + part.local.ready,
            ready_timeout_s=part.local.ready_within_s,
        )
    )
    return url


def site_packages(python: Path | None) -> Path | None:
    """Return the folder of an environment's packages; None where there is no environment."""
    return None if python is None else next(python.parent.parent.glob("lib/python*/site-packages"), None)
