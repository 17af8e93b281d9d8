"""What an OpenAPI document asks of a client and a server, without names and words: for comparing two of them."""

from collections.abc import Mapping
from typing import Any

WORDS = ("description", "title", "summary", "example", "examples", "default")  # of no consequence for a client
METHODS = ("get", "post", "put", "patch", "delete")

Document = Mapping[str, Any]


def differences(contract: Document, served: Document) -> list[str]:
    """Return in words where a served document says something else than the contract."""
    wanted, found = operations(contract), operations(served)
    said = [f"{name} is not served" for name in wanted if name not in found]
    said += [f"{name} is not in the contract" for name in found if name not in wanted]
    for name in wanted.keys() & found.keys():
        for what, value in wanted[name].items():
            if found[name][what] != value:
                said.append(f"{name}: {what} {found[name][what]!r}, in the contract {value!r}")
    schemes = [_schemes(document) for document in (contract, served)]
    return sorted(said) + (["the security schemes differ"] if schemes[0] != schemes[1] else [])


def operations(document: Document) -> dict[str, dict[str, Any]]:
    """Return every operation of a document in a comparable form."""
    return {
        f"{method} {path}": _operation(document, item, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def _operation(document: Document, item: Document, operation: Document) -> dict[str, Any]:
    body = _target(document, operation.get("requestBody", {}))
    security = operation.get("security", document.get("security", []))
    return {
        "operationId": operation["operationId"],
        "parameters": _parameters(document, [*item.get("parameters", []), *operation.get("parameters", [])]),
        "body": body and {"required": body.get("required", False), "content": _content(document, body)},
        "answers": {
            status: _content(document, _target(document, response))
            for status, response in operation["responses"].items()
        },
        "security": sorted(name for each in security for name in each),
    }


def _target(document: Document, node: Document) -> Document:
    """Follow a reference inside of a document."""
    if "$ref" not in node:
        return node
    target: Any = document
    for part in str(node["$ref"]).removeprefix("#/").split("/"):
        target = target[part]
    return _target(document, target)


def _content(document: Document, node: Document) -> dict[str, Any]:
    return {kind: _schema(document, each.get("schema", {})) for kind, each in node.get("content", {}).items()}


def _parameters(document: Document, listed: list[Document]) -> dict[str, Any]:
    found = {}
    for each in (_target(document, parameter) for parameter in listed):
        schema = _schema(document, each["schema"])
        found[f"{each['in']} {each['name'].lower()}"] = {"required": each.get("required", False), "schema": schema}
    return found


def _schemes(document: Document) -> dict[str, Any]:
    schemes = document["components"]["securitySchemes"]
    return {name: {key: value for key, value in one.items() if key not in WORDS} for name, one in schemes.items()}


def _schema(document: Document, node: Any) -> Any:
    """Return a schema with its references followed, its words left out, and what may be null written in one way."""
    if isinstance(node, list):
        return [_schema(document, each) for each in node]
    if not isinstance(node, dict):
        return node
    node = _target(document, node)
    properties = {name: _schema(document, each) for name, each in node.get("properties", {}).items()}
    plain = {key: _schema(document, value) for key, value in node.items() if key not in (*WORDS, "properties")}
    if properties:
        plain["properties"] = properties
    nothing = {"type": "null"}
    if nothing in plain.get("anyOf", ()):
        (other,) = [each for each in plain.pop("anyOf") if each != nothing]
        plain |= other | {"type": [other["type"], "null"]}
    if "enum" in plain and isinstance(plain.get("type"), list) and None not in plain["enum"]:
        plain["enum"] = [*plain["enum"], None]
    if "required" in plain:
        plain["required"] = sorted(plain["required"])
    return plain
