"""Integration: which operations a target documents for programs, and which of them behave as documented."""

import json
from typing import Any

from harness import conformance
from harness.audit.probing import NotMeasuredError, Probes, Seen, Try
from harness.audit.subject import Subject
from harness.conformance.client import Client
from harness.conformance.world import OPERATIONS

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
#: protocols whose product is the contract's, so that its operations are what a program would look for
COMPARABLE = ("rest", "streamlit", "forms")


@PROBES.finds("operations-documented", "operations described in a schema that programs can read")
def _documented(subject: Subject) -> Seen:
    _expect_comparable(subject)
    where, described = _schema(subject)
    tries = [
        Try(passed=name in described, line=f"{method} {path} ({name}): {'' if name in described else 'not '}described")
        for name, (method, path) in OPERATIONS.items()
    ]
    if where is None:
        text = f"no schema at any of {len(SCHEMA_PATHS)} usual addresses: {', '.join(SCHEMA_PATHS)}"
    else:
        text = f"{len(described)} of the contract's {len(OPERATIONS)} operations described at {where}"
    return Seen(tries=tuple(tries), text=text)


@PROBES.finds("operations-conformant", "described operations that behave as described")
def _conformant(subject: Subject) -> Seen:
    _expect_comparable(subject)
    where, described = _schema(subject)
    if where is None:
        raise NotMeasuredError("no operation is described, so that none can be held to its description")
    found = conformance.check_rest(subject.base_url, seed=subject.seed, web=False, rate_limit=None)
    tries = []
    for name in described:
        checks = [one for one in found if one.operation == name]
        wrong = [one.text for one in checks if not one.passed]
        seen = wrong[0] if wrong else f"all {len(checks)} checks passed"
        tries.append(Try(passed=bool(checks) and not wrong, line=f"{name}: {seen}"))
    return Seen(tries=tuple(tries))


def _expect_comparable(subject: Subject) -> None:
    if subject.protocol == "openai":
        raise NotMeasuredError("no application: this is the model itself")
    if subject.protocol not in COMPARABLE:
        raise NotMeasuredError(f"a protocol of its own ({subject.protocol}): what it should offer is not known here")


def _schema(subject: Subject) -> tuple[str | None, list[str]]:
    """Return where a schema is served and which of the contract's operations it describes."""
    client = Client(subject.base_url)
    for path in SCHEMA_PATHS:
        answer = client.request("GET", path, headers={"Accept": "application/json"})
        document = _document(answer.body) if answer.status == 200 else None
        if document is not None:
            paths = document["paths"]
            described = [name for name, (method, at) in OPERATIONS.items() if method.lower() in paths.get(at, {})]
            return path, described
    return None, []


def _document(body: bytes) -> dict[str, Any] | None:
    """Return an OpenAPI document, None for whatever else was served (a page answers every path of some servers)."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    good = isinstance(document, dict) and ("openapi" in document or "swagger" in document)
    return document if good and isinstance(document.get("paths"), dict) else None
