"""Matplotlib as it ships: no file and no variable of a person's reaches a plot."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".chatbench" / "matplotlib"  # for its list of this machine's fonts
READ_AT_IMPORT = ("MPLBACKEND", "MATPLOTLIBRC", "MPLCONFIGDIR")


@contextmanager
def settings() -> Iterator[None]:
    """Draw by the settings that Matplotlib ships while the block runs; a program's own are there again after it."""
    _import_untouched()
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        yield


def _import_untouched() -> None:
    """Import it where it finds no setting: one that it cannot read stops the import, another one sets the locale."""
    if "matplotlib" in sys.modules:
        return
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns of a cache that it makes elsewhere
    with suppress(OSError):
        CACHE.mkdir(parents=True, exist_ok=True)
    with _without(READ_AT_IMPORT), _in_folder(CACHE if CACHE.is_dir() else Path("/")):
        os.environ["MPLCONFIGDIR"] = str(CACHE)
        import matplotlib.font_manager  # noqa: F401  # the last to ask where the cache is


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    kept = {name: value for name in names if (value := os.environ.pop(name, None)) is not None}
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ.update(kept)


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder: ``matplotlibrc`` is looked for in the working folder first, before any variable."""
    here = os.open(".", os.O_PATH)  # by its number: the path may be gone or closed to us
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(here)
        os.close(here)
