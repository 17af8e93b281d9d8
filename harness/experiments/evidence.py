"""The digest of all that an experiment's result depends on: the same digest, the same result."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.experiments.scratch import BESIDE, LEFT_OUT
from harness.experiments.wish import TEST_FILE, WISH_FILE, Wish
from harness.targets import Target

HARNESS = Path(__file__).resolve().parents[1]
#: what looks and what starts; the words and tables around it change no result
PROBES = ("experiments", "probes/browser", "probes/world.py", "records/recipe.py", "runtimes/local", "environments")


def digest(root: Path, wish: Wish, target: Target, model: Path, browser: str | None) -> str:
    """Return the SHA-256 over parts with their locks, wish, patch, probes and the browser's major version."""
    sources = [
        *(path for folder in (model, *(part.folder for part in target.parts)) for path in _files(folder)),
        *(path for name in BESIDE if (path := root / "targets" / name).is_file()),
        *(path for name in PROBES for path in _files(HARNESS / name)),
        *sorted((root / "requirements").glob("*.txt")),
        *_files(root / "requirements" / "axe"),
    ]
    own = [wish.folder / WISH_FILE, wish.folder / TEST_FILE, wish.patch(target.name), wish.reason_file(target.name)]
    made = hashlib.sha256()
    major = browser.partition(".")[0] if browser else "none"
    made.update(f"{target.name}\0{major}\0{sys.version_info[:2]}\0".encode())
    for path in (*sources, *(path for path in own if path.is_file())):
        content = path.read_bytes()
        made.update(f"{os.path.relpath(path, root)}\0{len(content)}\0".encode() + content)
    return made.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    for parent, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        yield from (Path(parent, name) for name in sorted(files))
