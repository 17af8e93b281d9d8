"""A client program as a process of its own, asked for one task after the other, and how many lines it is long."""

import ast
import io
import json
import os
import subprocess
import sys
import threading
import tokenize
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CLIENTS = Path(__file__).parent / "clients"
TASK_LIMIT_S = 30.0
SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)


class UnstartedError(Exception):
    """The program itself could not be started: nothing is known of the target."""


class UndoneError(Exception):
    """The program could not do a task, in its own words."""


class Program:
    """A client that talks to a target; leaving the ``with`` block ends it."""

    def __init__(self, client: Path, address: str, packages: str | None = None) -> None:
        """Name the client's file and the target; ``packages`` is searched before this environment's own."""
        self._words = [sys.executable, "-P", "-s", str(CLIENTS / "drive.py"), str(client), address]
        kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")
        self._env = {name: value for name, value in os.environ.items() if name in kept}
        self._env |= {"PYTHONDONTWRITEBYTECODE": "1", "NETRC": os.devnull} | (
            {"PYTHONPATH": packages} if packages else {}
        )

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._words,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            self._read()
        except UndoneError as error:
            self.__exit__(None, None, None)
            raise UnstartedError(str(error)) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def do(self, task: str, *words: str) -> Any:
        """Return what the client made of a task; raises UndoneError where it failed or did not end in its time."""
        if self._process.stdin is None:
            raise RuntimeError("it was started without a way to talk to it")
        try:
            self._process.stdin.write(json.dumps({"task": task, "words": words}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise UndoneError("the program ended before") from None
        answer = self._read()
        if "failed" in answer:
            raise UndoneError(str(answer["failed"]))
        return answer["done"]

    def _read(self) -> dict[str, Any]:
        process = self._process
        if process.stdout is None or process.stderr is None:
            raise RuntimeError("it was started without a way to listen to it")
        timer = threading.Timer(TASK_LIMIT_S, process.kill)
        timer.start()
        try:
            line = process.stdout.readline()
        finally:
            timer.cancel()
        if line:
            return dict(json.loads(line))
        said = process.stderr.read().strip().splitlines()
        last = said[-1] if said else "without a word"
        raise UndoneError(f"the program ended or was silent for {TASK_LIMIT_S:.0f} s: {last}")


def code_lines(source: str) -> dict[str, int]:
    """Count lines of code: in all under ``""``, and per method of the class by its name.

    A line counts where it holds code: comments, blank lines, docstrings and imports do not.
    """
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Expr) and text):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in SILENT and token.string:
            held |= set(range(token.start[0], token.end[0] + 1))
    held -= skipped
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    counts = {m.name: len(held & set(range(m.lineno, (m.end_lineno or m.lineno) + 1))) for m in methods}
    return {"": len(held)} | counts
