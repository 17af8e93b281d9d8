"""Every build takes the answers of models as they are: the table "Reading the model" of the contract."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.init import KINDS, write
from harness.records.recipe import session_token
from harness.runtimes import serving
from harness.runtimes.local import LocalRuntime, stack
from harness.runtimes.local.stack import LocalPrepared
from harness.targets import Local, Part
from tests import ROOT
from tests.doubles.odd_model import BROKEN, FINE, REFUSED
from tests.e2e.conftest import ANSWER, CATALOGUE, SEED

WEB = CATALOGUE.of_kind("web")[0].name
BUILDS = [*(f"{api.name}+{WEB}" for api in CATALOGUE.of_kind("api")), *(p.name for p in CATALOGUE.of_kind("monolith"))]
NAMES = [*BUILDS, *(f"template {kind}" for kind in KINDS)]
#: their conversation is on the server, so that the next request shows what was kept of an answer that failed
KEEPING = [name for name in NAMES if "streamlit" not in name and name != "gradio"]
ODD = Part(
    name="llm",
    kind="model",
    title="Another model",
    folder=ROOT / "tests" / "doubles",
    local=Local(start=("{python}", "odd_model.py", "{port}", "{log}"), ready="/"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talking:
    """A started build that talks to another model."""

    prepared: LocalPrepared
    base_url: str
    log: Path

    def hold(self, *modes: str) -> list[list[str | None]]:
        """Return the outcome of each turn of one conversation, and its error."""
        target = self.prepared.target
        streamlit = str(stack.site_packages(self.prepared.python)) if target.protocol == "streamlit" else None
        session = session_token(SEED, "user0001")
        visitor = {"base_url": self.base_url, "username": "user0001", "session": session, "streamlit_site": streamlit}
        task = {"protocol": target.protocol, "user_class": target.user_class, "visitor": visitor, "modes": modes}
        command = [sys.executable, "-m", "tests.e2e.parts.one_conversation"]
        done = subprocess.run(
            command, input=json.dumps(task), text=True, check=True, cwd=ROOT, timeout=180, stdout=subprocess.PIPE
        )
        found: list[list[str | None]] = json.loads(done.stdout)
        return found

    def asked(self) -> list[dict[str, Any]]:
        """Return what the model was sent so far."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Talking]]:
    """Return a build by name: started the first time it is asked for."""
    known: dict[str, Talking] = {}
    with ExitStack() as opened:
        runtime = LocalRuntime()
        opened.callback(runtime.close)

        def get(name: str) -> Talking:
            if name not in known:
                target = name
                if name.startswith("template "):
                    folder = tmp_path_factory.mktemp("own") / "odd-bot"
                    write(name.removeprefix("template "), "odd-bot", folder)
                    target = str(folder)
                prepared = runtime.prepare(CATALOGUE.target(target), CATALOGUE, ROOT, SEED, print)
                odd = replace(prepared, model=ODD)
                served = opened.enter_context(serving.serving(runtime, odd, ANSWER, tmp_path_factory.mktemp("served")))
                base_url = served.stack.instances[0]
                known[name] = Talking(prepared=odd, base_url=base_url, log=served.stack.model_log)
            return known[name]

        yield get


@pytest.mark.parametrize("name", NAMES)
def test_whole_answers_are_taken_whole(talking: Callable[[str], Talking], name: str) -> None:
    outcomes = dict(zip(FINE, talking(name).hold(*FINE), strict=True))
    assert outcomes == {mode: ["ok", None] for mode in FINE}


@pytest.mark.parametrize("name", NAMES)
def test_failures_are_told_and_the_next_message_is_answered(talking: Callable[[str], Talking], name: str) -> None:
    build = talking(name)
    for mode in (*BROKEN, *REFUSED):
        (outcome, error), following = build.hold(mode, "plain")
        assert outcome != "ok", mode
        assert error, mode
        assert following == ["ok", None], mode


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("mode", BROKEN)
def test_what_came_before_a_failure_is_kept(talking: Callable[[str], Talking], name: str, mode: str) -> None:
    build = talking(name)
    build.hold(mode, "plain")
    *_, last = build.asked()
    roles = [message["role"] for message in last["messages"]]
    assert roles[-3:] == ["user", "assistant", "user"]
    assert last["messages"][-2]["content"].endswith(" Grüße ")


@pytest.mark.parametrize("name", NAMES)
def test_no_build_asks_for_what_it_cannot_read(talking: Callable[[str], Talking], name: str) -> None:
    build = talking(name)
    build.hold("plain")
    assert {asked["headers"].get("accept-encoding") for asked in build.asked()} == {"identity"}
