"""The program as a test has it: its modules, its data in an empty folder, and a model that answers from a list."""

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from streamlit.testing.v1 import AppTest

PART = Path(__file__).parents[1]
MODULES = [path.stem for path in PART.glob("*.py")]
PASSWORD = "correct horse"


class FakeModel:
    """Answers from a list: texts, or an error after them."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, str]]] = []
        self.answers: list[list[str | Exception]] = []

    def stream(self, messages: list[dict[str, str]]) -> Iterator[str]:
        self.asked.append(messages)
        for item in self.answers.pop(0) if self.answers else ["Some ", "**answer**"]:
            if isinstance(item, Exception):
                raise item
            yield item


class Program:
    """The program's modules, its data and its model."""

    def __init__(self, modules: dict[str, ModuleType], model: FakeModel) -> None:
        self.modules = modules
        self.model = model
        self.opened = 0
        self.store: Any = modules["store"].get_store()

    def load(self, name: str) -> Any:
        """Import a module that the pages do not need."""
        return importlib.import_module(name)

    def page(self, username: str | None = None, script: Callable[[], None] | None = None) -> AppTest:
        """Run the program as this user; ``script`` runs in its place if given."""
        main = str(PART / "main.py")
        page = AppTest.from_function(script) if script else AppTest.from_file(main)
        page.default_timeout = 60
        # AppTest has no cookies: the session is given, as the cookie of a browser would have it found
        page.session_state["session_id"] = None
        if username is not None:
            self.opened += 1
            found = self.store.credentials(username)
            page.session_state["session_id"] = self.store.open_session(found[0].id, f"code {self.opened}")
        return page.run()
