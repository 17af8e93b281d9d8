"""Integration: which operations a target documents for programs, and which of them behave as documented."""

import json
from typing import Any

from harness.probes import contract
from harness.probes.client import Client
from harness.probes.contract.partial import CONTRACT, check_spoken
from harness.probes.integration.programs import CLIENTS, Program, UnstartedError, code_lines
from harness.probes.integration.tasks import TASKS, Story
from harness.probes.probe import NotMeasuredError, Probes, Seen, Try, expect_offered
from harness.probes.subject import Subject
from harness.probes.world import OPERATIONS

PROBES = Probes("integration")

#: where frameworks of today serve the description of their operations
SCHEMA_PATHS = (
    "/api/schema",
    "/api/openapi.json",
    "/api/schema/",
    "/openapi.json",
    "/openapi.yaml",
    "/swagger.json",
    "/v3/api-docs",
    "/api-docs",
    "/.well-known/openapi.json",
    "/docs/openapi.json",
)
#: by protocol, the client a program would be: the best way each target offers; other protocols are not known here
CLIENT_OF = {"rest": "rest.py", "streamlit": "page_socket.py", "forms": "forms.py"}
#: what a part states that it offers, and the task that shows it
SHOWN_BY = {
    "sign-in": "sign in",
    "conversations": "create",
    "streaming": "stream",
    "history": "list",
    "search": "search",
    "rename": "rename",
    "export": "export",
    "delete": "delete",
    "feedback": "feedback",
}


#: what a target has to offer so that a second session sees what a first one did
SEEN_BY = ("sign-in", "conversations", "export")
#: the feature that an operation belongs to; those that every API has are not named
FEATURE_OF = {
    "login": "sign-in",
    "logout": "sign-in",
    "me": "sign-in",
    "createToken": "sign-in",
    "listConversations": "conversations",
    "createConversation": "conversations",
    "getConversation": "history",
    "renameConversation": "rename",
    "deleteConversation": "delete",
    "exportConversation": "export",
    "listMessages": "history",
    "sendMessage": "streaming",
    "setFeedback": "feedback",
    "hideMessage": "moderation",
    "listUsers": "admin",
    "updateUser": "admin",
}


def _offered(subject: Subject) -> list[str]:
    """Return the contract's operations that belong to what a target states that it offers."""
    return [name for name in OPERATIONS if FEATURE_OF.get(name) in (None, *subject.features)]


@PROBES.finds("operations-documented", "operations described in a schema that programs can read")
def _documented(subject: Subject) -> Seen:
    _expect_comparable(subject)
    where, described = _schema(subject)
    wanted = {name: OPERATIONS[name] for name in _offered(subject)}
    tries = [
        Try(passed=name in described, line=f"{method} {path} ({name}): {'' if name in described else 'not '}described")
        for name, (method, path) in wanted.items()
    ]
    if where is None:
        text = (
            f"no description of an interface is served: 0 of {len(wanted)} operations "
            f"(looked for at {', '.join(SCHEMA_PATHS)})"
        )
    else:
        text = f"{sum(one.passed for one in tries)} of the contract's {len(wanted)} operations described at {where}"
    return Seen(tries=tuple(tries), text=text)


@PROBES.finds("operations-conformant", "described operations that behave as described")
def _conformant(subject: Subject) -> Seen:
    _expect_comparable(subject)
    where, described = _schema(subject)
    if where is None:
        raise NotMeasuredError("no operation is described, so that none can be held to its description")
    features = frozenset(subject.features)
    if features >= CONTRACT:
        found = contract.check_rest(subject.program_url, seed=subject.seed, web=False, rate_limit=None)
        held = described
    else:  # of the others it is not known how they should behave
        found = check_spoken(subject.program_url, seed=subject.seed, features=features)
        held = [name for name in described if name in {one.operation for one in found}]
    tries = []
    for name in held:
        checks = [one for one in found if one.operation == name]
        wrong = [one.text for one in checks if not one.passed]
        seen = wrong[0] if wrong else f"all {len(checks)} checks passed"
        tries.append(Try(passed=bool(checks) and not wrong, line=f"{name}: {seen}"))
    return Seen(tries=tuple(tries), text="" if tries else "none of the described operations can be checked")


@PROBES.finds("scripted-tasks", "tasks done by a program without a browser")
def _tasks(subject: Subject) -> Seen:
    _expect_comparable(subject)
    expect_offered(subject, *SEEN_BY)
    unstated = {task for feature, task in SHOWN_BY.items() if feature not in subject.features}
    wanted = [name for name in TASKS if name not in unstated]
    client = CLIENTS / CLIENT_OF["rest" if subject.api_url else subject.protocol]
    lines = code_lines(client.read_text(encoding="utf-8"))
    try:
        with (
            Program(client, subject.program_url, subject.streamlit_site) as here,
            Program(client, subject.program_url, subject.streamlit_site) as there,
        ):
            wrong = Story(here, there, seed=subject.seed, model_log=subject.log).tell(wanted)
    except UnstartedError as error:
        raise NotMeasuredError(f"the client {client.name} could not be started: {error}") from error
    methods = {"list": "conversations"} | {name: name.replace(" ", "_") for name in TASKS if name != "list"}
    tries = []
    for name, fault in wrong.items():
        stated = name in SHOWN_BY.values()
        flag = ", although the target states that it offers this" if fault and stated else ""
        own = lines[methods[name]]
        tries.append(Try(passed=fault is None, line=f"{name} ({own} lines of its own): {fault or 'done'}{flag}"))
    done = sum(one.passed for one in tries)
    if not done:  # no line of a client that can do nothing is worth counting
        return Seen(tries=tuple(tries), text=f"0 of {len(tries)} tasks by chatbench's client ({client.name})")
    shared = lines[""] - sum(lines[method] for method in methods.values())
    used = shared + sum(lines[methods[name]] for name in wrong)
    text = f"{done} of {len(tries)} tasks, {used} lines of chatbench's client, {shared} of them shared ({client.name})"
    return Seen(tries=tuple(tries), text=text, value=float(used), unit="lines")


def _expect_comparable(subject: Subject) -> None:
    if subject.protocol == "openai":
        raise NotMeasuredError("no application: this is the model itself")
    if subject.protocol not in CLIENT_OF:
        raise NotMeasuredError(f"a protocol of its own ({subject.protocol}): what it should offer is not known here")


def _schema(subject: Subject) -> tuple[str | None, list[str]]:
    """Return where a schema is served and which of the contract's operations it describes."""
    client = Client(subject.program_url)
    for path in SCHEMA_PATHS:
        answer = client.request("GET", path, headers={"Accept": "application/json"})
        document = _document(answer.body) if answer.status == 200 else None
        if document is not None:
            paths = document["paths"]
            described = [name for name, (method, at) in OPERATIONS.items() if method.lower() in paths.get(at, {})]
            return path, described
    return None, []


def _document(body: bytes) -> dict[str, Any] | None:
    """Return an OpenAPI document, None for any other body (a page answers every path of some servers)."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    good = isinstance(document, dict) and ("openapi" in document or "swagger" in document)
    return document if good and isinstance(document.get("paths"), dict) else None
