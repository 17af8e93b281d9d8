"""Commands as a user can type them, in any folder."""

import shlex
import shutil
import sys
from pathlib import Path

PROGRAM = "chatbench"


def command(*words: str) -> str:
    """Return a command of this program, quoted for a shell."""
    called = Path(sys.argv[0]).absolute()
    found = called.name != PROGRAM or shutil.which(PROGRAM) == str(called)
    return shlex.join([PROGRAM if found else str(called), *words])
