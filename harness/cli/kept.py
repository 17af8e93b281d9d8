"""The logs of a target that a command starts: removed at its end, kept where something failed."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.cli import REPOSITORY
from harness.errors import BenchError
from harness.host.launch import last_lines
from harness.records import Role
from harness.results import slug

SHOWN_LINES = 25
SHOWN = ("target", "generator")


@dataclass(slots=True)
class Logs:
    """The folder of a started target; its logs are in ``logs`` below it."""

    folder: Path
    kept: bool = False

    def show(self, console: Console, roles: Mapping[str, Role]) -> None:
        """Print the ends of the target's and the generator's logs, and keep the folder."""
        self.kept = True
        for name in (name for name, role in roles.items() if role in SHOWN):
            log = self.folder / "logs" / f"{name}.log"
            if lines := last_lines(log, SHOWN_LINES):
                console.print(Text(f"the end of {log}:"), soft_wrap=True)
                for line in lines:
                    console.print(Text(f"  {line}"), soft_wrap=True)


@contextmanager
def logs(command: str, target: str) -> Iterator[Logs]:
    """Give a command a folder for a target's logs.

    Raises:
        BenchError: what the block raised; its hint then names the folder, which stays.
    """
    home = REPOSITORY / ".chatbench" / "logs"
    home.mkdir(parents=True, exist_ok=True)
    made = Logs(Path(tempfile.mkdtemp(prefix=f"{command}-{slug(target)}-", dir=home)))
    try:
        yield made
    except BenchError as error:
        made.kept = True
        hint = f"{error.hint}; its logs are in {made.folder / 'logs'}"
        raise BenchError(error.message, hint, exit_code=error.exit_code) from error
    except Exception:
        made.kept = True
        raise
    finally:
        if not made.kept:
            shutil.rmtree(made.folder, ignore_errors=True)
