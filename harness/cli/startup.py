"""The process of a command before it begins: a person's settings left behind, streams that take every text.

Nothing of a person's own Python, proxy or terminal may change a figure or lose a run.
"""

import codecs
import errno
import io
import locale
import os
import sys
import unicodedata
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

#: variables of Python that change no number: encodings, caches, and how soon a line is printed
KEPT = (
    "PYTHON",
    "PYTHONCOERCECLOCALE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONNOUSERSITE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONSAFEPATH",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
)
LOOPBACK = ("localhost", "127.0.0.1", "::1")  # never by way of a proxy
LEFT = (errno.EPIPE, errno.EIO)  # a pipe without a reader, a terminal that was closed
READABLE = "chatbench.readable"  # how a stream treats what its encoding lacks
SPINNER = range(0x2800, 0x2900)
SIGNS = {
    "–": "-",
    "—": "-",
    "−": "-",
    "×": "x",
    "÷": "/",
    "≥": ">=",
    "≤": "<=",
    "±": "+/-",
    "→": "->",
    "·": ".",
    "•": "*",
    "µ": "u",
    "μ": "u",
    "√": "root ",
    "✓": "+",
    "✗": "x",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}


def begin(own: Path) -> None:
    """Make this process fit for a command; ``own`` is the folder that chatbench is imported from.

    Starts the same command over, in this process, where Python itself was started by a person's settings.
    """
    wanted = _utf8(without_settings(os.environ, own))
    if wanted != dict(os.environ) and sys.executable:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)  # noqa: S606  # this very program
    os.environ.pop("PYTHONIOENCODING", None)  # the streams have it; what is started from here on speaks UTF-8
    keep_loopback_direct(os.environ)
    _open_missing()
    codecs.register_error(READABLE, readable)
    sys.stdout, sys.stderr = _tolerant(sys.stdout), _tolerant(sys.stderr)


def without_settings(environ: Mapping[str, str], own: Path) -> dict[str, str]:
    """Return an environment without what steers Python: its warnings, its paths, its start; ``own`` stays a path."""
    kept = {name: value for name, value in environ.items() if not name.startswith("PYTHON") or name in KEPT}
    paths = [one for one in environ.get("PYTHONPATH", "").split(os.pathsep) if one and Path(one).resolve() == own]
    return kept | ({"PYTHONPATH": paths[0]} if paths else {})


def _utf8(environ: dict[str, str]) -> dict[str, str]:
    """Add what makes files UTF-8 in a locale of another encoding; the streams keep theirs."""
    if sys.flags.utf8_mode or codecs.lookup(locale.getpreferredencoding(False)).name == "utf-8":
        return environ
    spoken = {"PYTHONIOENCODING": sys.stdout.encoding} if sys.stdout else {}
    return spoken | environ | {"PYTHONUTF8": "1"}


def keep_loopback_direct(environ: MutableMapping[str, str]) -> None:
    """Except this machine from a person's proxies: targets, model and browser are all on it."""
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in environ):
        return
    spelled = ("no_proxy", "NO_PROXY")
    said = [name.strip() for one in spelled for name in environ.get(one, "").split(",") if name.strip()]
    for one in spelled:
        environ[one] = ",".join(dict.fromkeys([*said, *LOOPBACK]))


def readable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what stands for a sign that a stream's encoding lacks; the bytes of a file's name stay as they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign, after = error.object[error.start], error.start + 1
    number = ord(sign)
    if 0xDC80 <= number <= 0xDCFF:  # a byte that was no UTF-8 (PEP 383)
        return bytes([number - 0xDC00]), after
    plain = "*" if number in SPINNER else SIGNS.get(sign)
    plain = plain or unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return plain or sign.encode("ascii", "backslashreplace").decode(), after


class Stream(io.TextIOWrapper):
    """A standard stream whose reader may leave: what comes after goes nowhere, and the command goes on to its end."""

    def write(self, text: str, /) -> int:
        """Write a text, to nowhere once nobody reads it."""
        try:
            return super().write(text)
        except OSError as error:
            self._lead_nowhere(error)
            return len(text)

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            super().flush()
        except OSError as error:
            self._lead_nowhere(error)

    def _lead_nowhere(self, error: OSError) -> None:
        if error.errno not in LEFT:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def _tolerant(stream: TextIO | None) -> TextIO | None:
    """Return a standard stream that takes every text and outlives its reader; another one as it is."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    with suppress(OSError):  # a program that shares it may have made it non-blocking: printing would fail half-way
        os.set_blocking(stream.fileno(), True)
    encoding, lines, through = stream.encoding, stream.line_buffering, stream.write_through
    return Stream(stream.detach(), encoding=encoding, errors=READABLE, line_buffering=lines, write_through=through)


def _open_missing() -> None:
    """Open what was closed of the three streams: a file opened next would get its number, and what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
