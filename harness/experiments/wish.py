"""Wishes as their folders state them: what somebody asks for, and the test that accepts it."""

import hashlib
import importlib.util
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from harness.errors import BenchError, UsageError
from harness.experiments.scene import Beside, Scene
from harness.targets import read_table

WISH_FILE, TEST_FILE, HASH_FILE = "wish.toml", "test.py", "frozen.sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that people ask of a chatbot's page; ``wish.toml``.

    Attributes:
        title: In a few words.
        text: As somebody would ask for it, with the names of controls that the test looks for.
        looks_at: What the acceptance test looks at.
        whence: Where it was asked for; empty where it needs no source.
        environment: Variables that a build is started with, as the text says. Values may hold ``{names}`` that the
            test's own neighbours give.
    """

    name: str
    title: str
    text: str
    looks_at: str
    whence: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path

    def patch(self, target: str) -> Path:
        """Return the file of a target's patch, which may be absent."""
        return self.folder / f"{target}.patch"

    def reason_file(self, target: str) -> Path:
        """Return the file that says why a target can have no patch, which may be absent."""
        return self.folder / f"{target}.txt"

    def reason(self, target: str) -> str | None:
        """Return why there can be no patch for a target; None where nobody says so."""
        path = self.reason_file(target)
        return " ".join(path.read_text(encoding="utf-8").split()) if path.is_file() else None

    def accept(self, scene: Scene) -> None:
        """Run the acceptance test; raises AssertionError, or Playwright's Error, where the wish is not met."""
        accept: Callable[[Scene], None] = self._test().accept
        accept(scene)

    @contextmanager
    def beside(self) -> Iterator[Beside]:
        """Start what the test needs besides the target, such as a page that embeds it, for the block."""
        make: Callable[[], AbstractContextManager[Beside]] | None = getattr(self._test(), "beside", None)
        if make is None:
            yield Beside()
            return
        with make() as found:
            yield found

    def _test(self) -> ModuleType:
        path = self.folder / TEST_FILE
        spec = importlib.util.spec_from_file_location(f"wish_{self.name.replace('-', '_')}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise BenchError(f"{path} does not exist", "write the acceptance test of the wish")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def read_wish(folder: Path) -> Wish:
    """Return the wish of a folder; raises UsageError for an unknown key or a value of the wrong kind."""
    path = folder / WISH_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "fix the TOML at that place") from error
    return read_table(Wish, table, str(path), name=folder.name, folder=folder)


def wishes(root: Path) -> list[Wish]:
    """Return the wishes below a folder by name."""
    return [read_wish(path.parent) for path in sorted(root.glob(f"*/{WISH_FILE}"))]


def list_hash(root: Path) -> str:
    """Return the SHA-256 over every wish and its test: patches are no part of it."""
    digest = hashlib.sha256()
    for wish in wishes(root):
        for name in (WISH_FILE, TEST_FILE):
            content = (wish.folder / name).read_bytes()
            digest.update(f"{wish.name}/{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
