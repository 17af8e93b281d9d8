"""How a stack is launched: what a component gets, and what happens when its port is taken."""

import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.environments import POSTGRES_PROGRAMS, Environments
from harness.errors import BenchError
from harness.records import AnswerPlan, Component, Distribution, TargetInfo
from harness.runtimes.local import Launch, stack
from harness.runtimes.local.words import Tools, filled
from harness.runtimes.protocol import Stack
from harness.targets import Local, Part, Target, Variant

ANSWER = AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.02, tokens=Distribution(median=40))
INFO = TargetInfo(
    title="A", kind="monolith", protocol="rest", instances=1, python_processes=1, processes="", features=(), parts=()
)


class Pod:
    """Remembers what was started; fails as often as it was told to."""

    def __init__(self, folder: Path, failures: list[str]) -> None:
        self.folder, self.failures = folder, failures
        self.started: list[Launch] = []
        self.port = 5000

    def open_scratch(self) -> Path:
        return self.scratch()

    def scratch(self) -> Path:
        return self.folder / "scratch"

    def free_port(self) -> int:
        self.port += 1
        return self.port

    def start(self, launch: Launch) -> Component:
        self.started.append(launch)
        if launch.role == "target" and self.failures:
            raise BenchError(self.failures.pop(0), "try again")
        return Component(name=launch.name, role=launch.role, version=launch.version, endpoint=launch.endpoint)


@pytest.fixture
def prepared(tmp_path: Path) -> stack.LocalPrepared:
    template = tmp_path / "template"
    template.mkdir()
    (template / "db").write_text("seeded")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "env/lib/python3/site-packages").mkdir(parents=True)
    local = Local(start=("{python}", "serve", "--port", "{port}"), ready="/ok", env={"RATE_LIMIT_PER_MINUTE": "60"})
    app = Part(name="app", kind="monolith", title="A", folder=tmp_path, local=local)
    llm = Part(name="llm", kind="model", title="L", folder=tmp_path, local=Local(start=("llm", "{tokens}", "{log}")))
    return stack.LocalPrepared(
        target=Target(name="app", parts=(app,)),
        pythons=(tmp_path / "env/bin/python",),
        model=llm,
        model_python=Path("python"),
        web=None,
        redis=None,
        template=template,
        secret="s",
        seed=42,
        versions={"llm": "1", "app": "2"},
        info=INFO,
    )


def launch(pod: Pod, prepared: stack.LocalPrepared, tmp_path: Path) -> Stack:
    return stack.launch(pod, prepared, ANSWER, tmp_path)  # type: ignore[arg-type]  # as much of a pod as is used


def test_a_target_starts_on_a_copy_of_its_data_with_the_rate_limit_out_of_reach(
    prepared: stack.LocalPrepared, tmp_path: Path
) -> None:
    pod = Pod(tmp_path, [])
    stacked = launch(pod, prepared, tmp_path)
    model, app = pod.started
    assert model.command == ("llm", "40", str(tmp_path / "emissions.jsonl"))
    assert stacked.instances == (app.endpoint,)
    assert app.command == (str(prepared.python), "serve", "--port", str(pod.port))
    assert app.ready_url == f"{app.endpoint}/ok"
    assert Path(app.env["DATA_DIR"], "db").read_text() == "seeded"
    for name in ("LLM_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        assert app.env[name] == f"{stacked.model_url}/v1"
    assert app.env["LLM_API_KEY"] == app.env["OPENAI_API_KEY"]
    assert app.env["OPENAI_API_KEY"].startswith("sk-")
    assert app.env["LLM_MODEL"] == app.env["OPENAI_MODEL"] == "stand-in"
    assert int(app.env["RATE_LIMIT_PER_MINUTE"]) >= 1_000_000


def test_a_script_without_secrets_is_given_no_file_to_watch(prepared: stack.LocalPrepared, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import secrets\n")
    launch(Pod(tmp_path, []), prepared, tmp_path)
    assert not (tmp_path / "scratch" / ".streamlit").exists()


@pytest.mark.parametrize("script", ["app.py", "pages/chat.py"])
def test_a_streamlit_script_has_its_key_among_its_secrets(
    prepared: stack.LocalPrepared, tmp_path: Path, script: str
) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / script).write_text('key = st.secrets["OPENAI_API_KEY"]\n')
    pod = Pod(tmp_path, [])
    stacked = launch(pod, prepared, tmp_path)
    found = tomllib.loads((tmp_path / "scratch" / ".streamlit" / "secrets.toml").read_text())
    nested = found.pop("openai")
    assert found.items() <= dict(pod.started[1].env).items()
    assert (nested["api_key"], nested["base_url"]) == (found["OPENAI_API_KEY"], f"{stacked.model_url}/v1")


def test_instances_share_one_copy_of_the_data_and_nothing_else(prepared: stack.LocalPrepared, tmp_path: Path) -> None:
    part = prepared.target.parts[0]
    two = replace(part, local=replace(part.local, instances=2))
    pod = Pod(tmp_path, [])
    stacked = launch(pod, replace(prepared, target=Target(name="app:2", parts=(two,))), tmp_path)
    first, second = pod.started[1:]
    assert len(set(stacked.instances)) == 2
    assert (first.name, second.name) == ("app-1", "app-2")
    assert first.env["DATA_DIR"] == second.env["DATA_DIR"]


def test_a_page_with_a_server_of_its_own_is_told_where_the_api_is_and_nothing_else(
    prepared: stack.LocalPrepared, tmp_path: Path
) -> None:
    (app,) = prepared.target.parts
    api = replace(app, kind="api")
    local = Local(start=("{python}", "page", "{api}"), instances=2, env={"COOKIE": "{secret}"})
    web = Part(name="page", kind="web", title="P", folder=tmp_path, local=local)
    hybrid = replace(
        prepared,
        target=Target(name="app+page", parts=(api, web)),
        pythons=(Path("python"), prepared.python),
        versions={"llm": "1", "app": "2", "page": "3"},
    )
    pod = Pod(tmp_path, [])
    stacked = launch(pod, hybrid, tmp_path)
    _, behind, *pages = pod.started
    assert [one.name for one in pod.started] == ["llm", "app", "page-1", "page-2"]
    assert stacked.api_url == behind.endpoint
    assert stacked.instances == tuple(page.endpoint for page in pages)
    assert pages[0].command == (str(prepared.python), "page", behind.endpoint)
    assert dict(pages[0].env) == {"COOKIE": "s", "API_BASE_URL": behind.endpoint}
    assert (pages[0].role, pages[0].version) == ("target", "3")


def test_a_part_below_a_path_of_its_own_may_take_its_time(prepared: stack.LocalPrepared, tmp_path: Path) -> None:
    (part,) = prepared.target.parts
    below = replace(part, local=replace(part.local, path="/chat", ready_within_s=90.0))
    pod = Pod(tmp_path, [])
    stacked = launch(pod, replace(prepared, target=Target(name="app", parts=(below,))), tmp_path)
    app = pod.started[1]
    assert stacked.instances == (f"http://127.0.0.1:{pod.port}/chat",)
    assert (app.ready_url, app.ready_timeout_s) == (f"{stacked.instances[0]}/ok", 90.0)


def test_a_part_without_python_is_started_by_its_own_program(prepared: stack.LocalPrepared, tmp_path: Path) -> None:
    (part,) = prepared.target.parts
    local = Local(start=("{node}", "server.js", "{python}"), env={"PORT": "{port}"})
    bare = replace(
        prepared,
        target=Target(name="app", parts=(replace(part, local=local),)),
        pythons=(None,),
        node=Path("/opt/node"),
    )
    pod = Pod(tmp_path, [])
    stacked = launch(pod, bare, tmp_path)
    assert pod.started[1].command == ("/opt/node", "server.js", "{python}")
    assert pod.started[1].env["PORT"] == str(pod.port)
    assert stacked.site_inside is None
    assert stack.site_packages(None) is None


def test_a_fixed_port_is_refused_with_the_placeholder_to_write(tmp_path: Path) -> None:
    fixed = Part(name="a", kind="monolith", title="A", folder=tmp_path, local=Local(start=("serve", "--port", "8000")))
    with pytest.raises(BenchError, match=r"neither local\.start nor \[local\.env\] holds \{port\}") as failed:
        stack.require_port(fixed)
    assert "write {port} where your program takes it" in failed.value.hint
    stack.require_port(replace(fixed, local=replace(fixed.local, env={"PORT": "{port}"})))
    with pytest.raises(BenchError, match=r"local\.start is missing") as failed:
        stack.require_port(replace(fixed, local=Local(env={"PORT": "{port}"})))
    assert "write the command that starts it" in failed.value.hint


def test_a_python_is_of_the_requirements_of_a_ready_environment_or_none(tmp_path: Path) -> None:
    env = Environments(tmp_path, lambda _: None)
    part = Part(name="a", kind="monolith", title="A", folder=tmp_path, local=Local(start=("serve",)))
    assert stack._python(env, part) is None
    with pytest.raises(BenchError, match="neither requirements nor venv"):
        stack._python(env, replace(part, local=Local(start=("{python}",))))
    with pytest.raises(BenchError, match=r"no command uses the packages of 'requirements\.txt'"):
        stack._python(env, replace(part, local=Local(start=("node", "server.js"), requirements="requirements.txt")))
    ready = replace(part, local=Local(start=("{python}",), venv=".venv"))
    with pytest.raises(BenchError, match=r"local\.venv: .*\.venv/bin/python does not exist"):
        stack._python(env, ready)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    assert stack._python(env, ready) == tmp_path / ".venv" / "bin" / "python"


def test_placeholders_are_filled_once() -> None:
    values = {"data": "/data/{port}", "port": "5001"}
    assert filled("{data}:{port}:{other}:{}", values) == "/data/{port}:5001:{other}:{}"
    words = Tools(python=Path("/env/bin/python")).words()
    assert filled("{bin}/chainlit {python} {node}", words) == "/env/bin/chainlit /env/bin/python {node}"


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("from streamlit import chat_input, secrets", True),
        ("from streamlit import (\n    chat_input,\n    secrets,\n)", True),
        ("from streamlit import (\n    chat_input,\n)\nimport secrets", False),
        ("import streamlit as app\nkey = app.secrets.openai.api_key", True),
        ("import streamlit as app\nkey = other.secrets.openai.api_key", False),
        ("import secrets", False),
    ],
)
def test_only_a_script_that_reads_secrets_has_some(
    prepared: stack.LocalPrepared, tmp_path: Path, source: str, written: bool
) -> None:
    (tmp_path / "app.py").write_text(source)
    pod = Pod(tmp_path, [])
    launch(pod, prepared, tmp_path)
    assert (pod.scratch() / ".streamlit" / "secrets.toml").is_file() == written


@pytest.fixture
def on_postgres(prepared: stack.LocalPrepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> stack.LocalPrepared:
    """A target whose seeded data is a cluster of PostgreSQL, which takes connections at once."""
    monkeypatch.setattr(stack.postgres, "is_ready", lambda _: True)
    (prepared.template / "postgres").mkdir()
    (prepared.template / "postgres" / "PG_VERSION").write_text("18")
    (tmp_path / "programs" / POSTGRES_PROGRAMS).mkdir(parents=True)
    (app,) = prepared.target.parts
    lite = Variant(local={"needs": []})
    local = replace(app.local, needs=("postgres",))
    part = replace(app, local=local, variants={"other": Variant(local={"instances": 2}), "lite": lite})
    return replace(
        prepared,
        target=Target(name="app", parts=(part,)),
        postgres=tmp_path / "programs",
        versions={**prepared.versions, "postgres": "18.6"},
    )


def test_postgres_is_a_component_of_the_target_on_a_copy_of_the_seeded_cluster(
    on_postgres: stack.LocalPrepared, tmp_path: Path
) -> None:
    pod = Pod(tmp_path, [])
    launch(pod, on_postgres, tmp_path)
    _, server, app = pod.started
    assert (server.name, server.role, server.version) == ("postgres", "target", "18.6")
    cluster = Path(server.env["PGDATA"])
    assert cluster.is_relative_to(pod.scratch())
    assert (cluster / "PG_VERSION").read_text() == "18"
    assert (on_postgres.template / "postgres" / "PG_VERSION").is_file(), "a trial took the template itself"
    port = urlsplit(str(server.ready_url)).port
    assert f"port={port}" in server.command
    password = server.env["DB_PASSWORD"]
    assert app.env["DATABASE_URL"] == f"postgresql://chat:{password}@127.0.0.1:{port}/chat"
    assert password not in " ".join(server.command), "every user of the machine can read a command"


def test_a_postgres_that_does_not_come_up_names_the_variant_that_does_without(
    on_postgres: stack.LocalPrepared, tmp_path: Path
) -> None:
    pod = Pod(tmp_path, ["postgres ended with 1; the end of its log: no space left"])
    with pytest.raises(BenchError, match="no space left") as failed:
        launch(pod, on_postgres, tmp_path)
    assert "measure app:lite" in failed.value.hint
    assert [one.name for one in pod.started] == ["llm", "postgres"]


def test_a_machine_without_postgres_is_told_which_target_does_without(tmp_path: Path) -> None:
    variants = {"other": Variant(local={"instances": 2}), "lite": Variant(local={"needs": []})}
    api = Part(name="a", kind="api", title="A", folder=tmp_path, local=Local(needs=("postgres",)), variants=variants)
    web = Part(name="w", kind="web", title="W", folder=tmp_path)
    error = BenchError("no PostgreSQL to install for riscv64", "use another machine")
    told = stack.without_postgres(Target(name="a+w", parts=(api, web)), error)
    assert told.message == error.message
    assert told.hint == "use another machine, or measure a:lite+w, which does without PostgreSQL"
    alone = Target(name="a", parts=(replace(api, variants={}),))
    assert stack.without_postgres(alone, error) is error


def test_postgres_gets_another_port_where_its_own_is_taken(on_postgres: stack.LocalPrepared, tmp_path: Path) -> None:
    pod = Pod(tmp_path, ["could not bind: Address already in use"])
    launch(pod, on_postgres, tmp_path)
    first, second, app = pod.started[1:]
    assert first.ready_url != second.ready_url
    assert str(urlsplit(str(second.ready_url)).port) in app.env["DATABASE_URL"]


@pytest.mark.parametrize("text", ["[Errno 98] Address already in use", "Port 5002 is not available"])
def test_a_port_taken_meanwhile_is_replaced_by_another_one(
    prepared: stack.LocalPrepared, tmp_path: Path, text: str
) -> None:
    pod = Pod(tmp_path, [text])
    stacked = launch(pod, prepared, tmp_path)
    first, second = pod.started[1:]
    assert first.endpoint != second.endpoint
    assert stacked.instances == (second.endpoint,)


def test_any_other_failure_is_not_tried_again(prepared: stack.LocalPrepared, tmp_path: Path) -> None:
    pod = Pod(tmp_path, ["no such module"])
    with pytest.raises(BenchError, match="no such module"):
        launch(pod, prepared, tmp_path)
    assert len(pod.started) == 2


def test_without_an_application_only_the_model_is_started_and_the_generator_gets_its_address(
    prepared: stack.LocalPrepared, tmp_path: Path
) -> None:
    nothing = Part(name="no-app", kind="no_app", title="Nothing", folder=tmp_path)
    pod = Pod(tmp_path, [])
    found = launch(pod, replace(prepared, target=Target(name="no-app", parts=(nothing,))), tmp_path)
    assert [one.role for one in pod.started] == ["model"]
    assert found.instances == (f"{found.model_url}/v1",)
    assert found.ready_after_s == 0.0
