"""targets/openapi.yaml is the one contract: every API serves it, and every front end's types are made of it."""

import copy
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.environments import FrontEnds, plain_environment
from harness.targets import Part
from tests.e2e.conftest import ROOT, Running
from tests.e2e.parts.openapi_shape import differences
from tests.e2e.parts.test_contract import CATALOGUE, REST

CONTRACT = ROOT / "targets" / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
WEBS = [part for part in CATALOGUE.of_kind("web") if part.local.build == "npm"]
CONVERSATIONS = ("paths", "/api/conversations")
MESSAGES = ("paths", "/api/conversations/{id}/messages")

#: a change of the contract -> where, the new value (None takes it away), and what is then said
MUTATIONS: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "an operation less": ((*CONVERSATIONS, "post"), None, "post /api/conversations is not served"),
    "another name": ((*CONVERSATIONS, "get", "operationId"), "list", "get /api/conversations: operationId"),
    "a parameter less": ((*CONVERSATIONS, "get", "parameters", 0), None, "get /api/conversations: parameters"),
    "a path's parameter": ((*MESSAGES, "parameters", 0), None, "get /api/conversations/{id}/messages: parameters"),
    "a looser page": (("components", "parameters", "Page", "schema", "minimum"), 0, "get /api/admin/users: parameters"),
    "a looser text": (
        ("components", "schemas", "NewMessage", "properties", "content", "pattern"),
        r"^[^\x00]*\S[^\x00]*$",
        "post /api/conversations/{id}/messages: body",
    ),
    "an optional body": ((*MESSAGES, "post", "requestBody", "required"), False, "messages: body"),
    "a member less": (("components", "schemas", "User", "properties", "role"), None, "get /api/auth/me: answers"),
    "an optional member": (("components", "schemas", "User", "required", 0), None, "get /api/auth/me: answers"),
    "more than agreed": (
        ("components", "schemas", "Message", "additionalProperties"),
        True,
        "put /api/messages/{id}/feedback: answers",
    ),
    "a refusal less": ((*MESSAGES, "post", "responses", "429"), None, "post /api/conversations/{id}/messages: answers"),
    "another media type": ((*MESSAGES, "post", "responses", "200", "content"), {}, "messages: answers"),
    "open to anybody": ((*CONVERSATIONS, "get", "security"), [], "get /api/conversations: security"),
    "another cookie": (("components", "securitySchemes", "session", "name"), "sid", "security schemes"),
}


def mutated(document: dict[str, Any], where: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """Return a document with one place of it changed."""
    changed: Any = copy.deepcopy(document)
    place = changed
    for key in where[:-1]:
        place = place[key]
    if value is None:
        del place[where[-1]]
    else:
        place[where[-1]] = value
    return dict(changed)


@pytest.mark.parametrize("name", REST)
def test_an_api_serves_the_contract(started: Callable[[str], Running], name: str) -> None:
    with urllib.request.urlopen(f"{started(name).base_url}/api/schema", timeout=10) as answer:
        served = json.load(answer)
    assert len(served["paths"]) == len(DOCUMENT["paths"])
    assert differences(DOCUMENT, served) == []


@pytest.mark.parametrize("change", MUTATIONS)
def test_a_schema_that_says_something_else_is_noticed(change: str) -> None:
    where, value, said = MUTATIONS[change]
    found = differences(DOCUMENT, mutated(DOCUMENT, where, value))
    assert found
    assert said in "\n".join(found)


def test_another_wording_is_the_same_contract() -> None:
    reworded = mutated(DOCUMENT, (*CONVERSATIONS, "get", "summary"), "Mine.")
    assert differences(DOCUMENT, mutated(reworded, ("components", "schemas", "Title", "description"), "A name.")) == []


def generator(part: Part) -> list[str]:
    """Return the words of a front end's npm script ``types``."""
    return str(json.loads((part.folder / "package.json").read_text(encoding="utf-8"))["scripts"]["types"]).split()


def checked(part: Part, output: Path, contract: Path = CONTRACT) -> subprocess.CompletedProcess[str]:
    """Ask a front end's own generator, as its script calls it, whether a file is what it makes of a contract."""
    made = FrontEnds(ROOT, print)
    made.ensure_web(part.folder, str(part.local.dist))  # the generator is one of its packages
    node = made.ensure_node()
    program, source, *options = generator(part)
    options[options.index("--output") + 1] = str(output)
    assert (part.folder / source).resolve() == CONTRACT
    return subprocess.run(
        [str(part.folder / "node_modules" / ".bin" / program), str(contract), *options, "--check"],
        cwd=part.folder,
        env=plain_environment() | {"PATH": f"{node}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def types_of(part: Part) -> Path:
    """Return a front end's file of generated types."""
    words = generator(part)
    return part.folder / words[words.index("--output") + 1]


@pytest.mark.parametrize("part", WEBS, ids=lambda part: part.name)
def test_a_front_ends_types_are_made_of_the_contract(part: Part) -> None:
    done = checked(part, types_of(part))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("part", WEBS, ids=lambda part: part.name)
def test_types_changed_by_hand_or_of_another_contract_are_noticed(part: Part, tmp_path: Path) -> None:
    by_hand = tmp_path / "schema.ts"
    by_hand.write_text(types_of(part).read_text(encoding="utf-8").replace("is_active: boolean", "is_active: string", 1))
    assert checked(part, by_hand).returncode != 0
    other = tmp_path / "openapi.yaml"
    where = ("components", "schemas", "User", "properties", "is_active")
    other.write_text(yaml.safe_dump(mutated(DOCUMENT, where, {"type": "string"})), encoding="utf-8")
    assert checked(part, types_of(part), other).returncode != 0
