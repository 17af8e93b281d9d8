"""The messages that the sources hand to people: errors, hints, reasons and the command line's help."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import ROOT

FOLDERS = ("harness", "loadtests", "reports")
CALLS = ("Reason", "ReasonCode", "Check", "Advice", "_above")
HELP = ("help", "description", "epilog")
PROSE = ("reports", "harness/probes", "harness/cli")  # whose texts are notes, claims, findings and the terminal's
DATA = ("_TEXT",)  # a list of words that messages are drawn from


@dataclass(frozen=True, slots=True)
class Message:
    """A text for people and where it stands; ``…`` stands for each value put in."""

    text: str
    file: str
    line: int


def messages() -> Iterator[Message]:
    """Yield every literal text that an error, a reason or an option's help is made of."""
    for path in source_files():
        yield from in_source(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))


def prose() -> Iterator[Message]:
    """Yield every literal text of the sources that write reports, findings and terminal output."""
    for path in source_files():
        file = str(path.relative_to(ROOT))
        if file.startswith(PROSE):
            yield from prose_of(path.read_text(encoding="utf-8"), file)


def prose_of(source: str, file: str) -> Iterator[Message]:
    """Yield every literal text of one source file, without docstrings and data."""
    for node in _spoken(ast.parse(source)):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield from _texts(node, file)


def _spoken(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        data = isinstance(child, ast.Assign) and any(isinstance(t, ast.Name) and t.id in DATA for t in child.targets)
        if not (docstring or data):
            yield child
            yield from _spoken(child)


def strings() -> Iterator[str]:
    """Yield every literal text of the sources, whatever it is for."""
    for path in source_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                yield from (one.text for one in _texts(node, ""))


def source_files() -> list[Path]:
    """Return every Python file of chatbench; templates are programs of their own."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in paths if "part_templates" not in path.parts]


def in_source(source: str, file: str) -> Iterator[Message]:
    """Yield the messages of one source file, those kept in a variable of the same function first."""
    for scope in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.Module)):
        names: set[str] = set()
        for call in (node for node in _own(scope) if isinstance(node, ast.Call)):
            for value in _said(call):
                names |= {one.id for one in ast.walk(value) if isinstance(one, ast.Name)}
                yield from _texts(value, file)
        for node in _own(scope):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets):
                yield from _texts(node.value, file)


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a scope, without what stands in the functions inside of it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, ast.FunctionDef):
            yield from _own(child)


def _said(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in CALLS or name.endswith("Error"):
        yield from call.args
        yield from (one.value for one in call.keywords if one.arg not in ("code", "name", "state", "unit", "operation"))
    elif name == "_command":  # harness.cli: the parser, the command, what it does
        yield from call.args[2:3]
    elif name in ("add_argument", "add_argument_group", "ArgumentParser", "add_parser"):
        yield from (one.value for one in call.keywords if one.arg in HELP)
        if name == "add_argument_group":
            yield from call.args[1:]


def _texts(value: ast.expr, file: str) -> Iterator[Message]:
    """Yield each text of an expression whole: a formatted one with ``…`` for its values."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield Message(value.value, file, value.lineno)
    elif isinstance(value, ast.JoinedStr):
        parts = [str(one.value) if isinstance(one, ast.Constant) else "…" for one in value.values]
        yield Message("".join(parts), file, value.lineno)
    else:
        for child in ast.iter_child_nodes(value):
            if isinstance(child, ast.expr):
                yield from _texts(child, file)
