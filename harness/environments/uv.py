"""uv and its package indexes: pip's settings, which uv does not read, carried over."""

import configparser
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.errors import BenchError

_INDEX_SETTINGS = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
)


def uv() -> Path:
    """Return uv of this environment, else the one on PATH.

    Raises:
        BenchError: there is none.
    """
    beside = Path(sys.prefix) / "bin" / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if not found:
        raise BenchError(f"uv is neither in {beside.parent} nor on PATH", "run `make setup`, which installs it")
    return Path(found)


def uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that give uv the indexes of pip's configuration; none where uv has its own settings.

    Values may hold credentials: pass them on, never print or store them. Local folders that do not exist are left out,
    because uv stops at them.
    """
    if any(name in environ for name in _INDEX_SETTINGS):
        return {}
    pip = pip_settings(environ)
    index, extra = pip.get("index-url", "").split(), _existing(pip.get("extra-index-url", "").split())
    links = [link for link in _existing(pip.get("find-links", "").split()) if "," not in link]
    found: dict[str, str] = {}
    if index and _existing(index[:1]):
        found["UV_DEFAULT_INDEX"] = index[0]
    if extra:
        found["UV_INDEX"] = " ".join(extra)
        # pip looks for a version in all indexes; uv's default stops at the first that has the package at all
        found.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if links:
        found["UV_FIND_LINKS"] = ",".join(links)
    certificates = pip.get("cert", "")
    if certificates and "SSL_CERT_FILE" not in environ and Path(certificates).is_file():
        found["SSL_CERT_FILE"] = certificates
    return {name: value for name, value in found.items() if name not in environ}


def pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings for installing: configuration files first, PIP_* variables over them (pip's own order)."""
    merged: dict[str, str] = {}
    for file in _pip_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip itself reports the fault in its file
        for section in ("global", "install"):
            if parser.has_section(section):
                merged.update(parser.items(section))
    for name, value in environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            merged[name[4:].lower().replace("_", "-")] = value
    return merged


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    """Return pip's configuration files, the weakest first (pip's "Configuration" page)."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [Path(folder, "pip", "pip.conf") for folder in shared.split(os.pathsep) if folder]
    files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    files += [
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        Path(sys.prefix, "pip.conf"),
    ]
    return files + ([Path(chosen)] if chosen else [])


def _existing(addresses: list[str]) -> list[str]:
    """Return the places without missing local folders and files; remote addresses stay."""
    kept: list[str] = []
    for address in addresses:
        parts = urlsplit(address)
        local = unquote(parts.path) if parts.scheme == "file" else address if not parts.scheme else None
        if local is None or Path(local).expanduser().exists():
            kept.append(address)
    return kept
