"""What FastAPI derives from the code says the same as the contract: paths, parameters, statuses, shapes."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from app.main import create_app
from app.settings import Settings

CONTRACT = Path(__file__).parents[3] / "openapi.yaml"
WORDS = ("description", "title", "summary", "example", "examples", "default")  # of no consequence for a client
METHODS = ("get", "post", "put", "patch", "delete")


def shape(document: dict[str, Any], node: Any) -> Any:
    """Return a schema without references and words, what may be null written in one way."""
    if isinstance(node, list):
        return [shape(document, each) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return shape(document, target)
    properties = {name: shape(document, each) for name, each in node.get("properties", {}).items()}
    plain = {key: shape(document, value) for key, value in node.items() if key not in (*WORDS, "properties")}
    if properties:
        plain["properties"] = properties
    if "anyOf" in plain and {"type": "null"} in plain["anyOf"]:
        (other,) = [each for each in plain.pop("anyOf") if each != {"type": "null"}]
        plain = {**plain, **other, "type": [other["type"], "null"]}
    if "enum" in plain:
        nullable = isinstance(plain["type"], list) and None not in plain["enum"]
        plain["enum"] = [*plain["enum"], None] if nullable else plain["enum"]
    if "required" in plain:
        plain["required"] = sorted(plain["required"])
    return plain


def parameters(document: dict[str, Any], *operations: Any) -> dict[str, Any]:
    """Return the parameters of an operation by place and name."""
    found = {}
    for listed in (each for operation in operations for each in operation.get("parameters", [])):
        if "$ref" in listed:
            listed = document["components"]["parameters"][listed["$ref"].rsplit("/", 1)[1]]
        key = f"{listed['in']} {listed['name'].lower()}"
        found[key] = {"required": listed.get("required", False), "schema": shape(document, listed["schema"])}
    return found


def answers(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return by status what an operation answers with."""
    found = {}
    for status, response in operation["responses"].items():
        if "$ref" in response:
            response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        content = {kind: shape(document, each["schema"]) for kind, each in response.get("content", {}).items()}
        found[status] = content
    return found


def flattened(document: dict[str, Any]) -> dict[str, Any]:
    """Return every operation of a document in a comparable form."""
    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            body = operation.get("requestBody")
            security = operation.get("security", document.get("security", []))
            found[f"{method} {path}"] = {
                "id": operation["operationId"],
                "tags": operation["tags"],
                "parameters": parameters(document, item, operation),
                "body": body and (body.get("required", False), shape(document, body["content"])),
                "answers": answers(document, operation),
                "security": sorted(name for each in security for name in each),
            }
    return found


@pytest.fixture(scope="module")
def documents() -> tuple[dict[str, Any], dict[str, Any]]:
    settings = Settings(secret_key="x", llm_base_url="http://127.0.0.1:1/v1", data_dir=Path())
    return create_app(settings).openapi(), yaml.safe_load(CONTRACT.read_text())


def test_operations_are_those_of_the_contract(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    derived, contract = map(flattened, documents)
    assert derived.keys() == contract.keys()
    for name, operation in contract.items():
        assert derived[name] == operation, name


def test_schemas_are_those_of_the_contract(documents: tuple[dict[str, Any], dict[str, Any]]) -> None:
    derived, contract = documents
    theirs, ours = contract["components"]["schemas"], derived["components"]["schemas"]
    inlined = {"Role", "Feedback", "Search", "Title"}  # named in the contract, part of the fields here
    assert set(ours) == set(theirs) - inlined
    for name in ours:
        assert shape(derived, ours[name]) == shape(contract, theirs[name]), name
    assert set(derived["components"]["securitySchemes"]) == set(contract["components"]["securitySchemes"])
