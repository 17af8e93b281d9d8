"""A part of one's own: a small chatbot that runs at once, to be changed from there."""

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from harness.cli import lookup
from harness.errors import EXIT_DONE, BenchError, UsageError
from harness.targets import NAME, PROTOCOLS

TEMPLATES = Path(__file__).resolve().parents[1] / "part_templates"
KINDS = {
    "rest": "a page and a REST API; virtual users use what the contract names",
    "streamlit": "a Streamlit script",
    "page": "a protocol of its own, and the user class that speaks it",
}
PLACEHOLDER = "my-chatbot"
LONGEST_NAME = 40
TAKEN = ("postgres", "redis", "generator", "pod", *PROTOCOLS)  # components and protocols; parts' names come on top


def run(args: argparse.Namespace) -> int:
    """Write a part and say what to type next."""
    _check_name(args.name)
    folder = args.directory / args.name
    written = write(args.kind, args.name, folder)
    target = shlex.quote(_as_typed(folder))
    print(f"{target}: {', '.join(written)}")
    print("It runs as it is. Next:")
    command = _command()
    print(f"  {command} check {target}                   check what virtual users need")
    print(f"  {command} run {target}                     measure it, about 10 minutes")
    print(f"  {command} serve {target}                   click through it")
    print(f"Then put your own chatbot in its place: {_as_typed(folder / 'README.md')} says what to change.")
    return EXIT_DONE


def write(kind: str, name: str, folder: Path) -> list[str]:
    """Write a template's files into ``folder`` and return their names.

    Raises:
        UsageError: one of them exists; then nothing is written.
        BenchError: the folder cannot be written.
    """
    files = template_files(kind)
    for file in files:
        if (folder / file).exists():
            raise UsageError(
                f"{folder / file} exists", "nothing was written: take another name, or another folder: --directory"
            )
    try:
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            text = (TEMPLATES / kind / file).read_text(encoding="utf-8")
            with (folder / file).open("x", encoding="utf-8") as stream:
                stream.write(text.replace(PLACEHOLDER, name))
    except OSError as error:
        raise BenchError(f"{folder} cannot be written: {error.strerror}", "name another folder: --directory") from error
    return [str(file) for file in files]


def template_files(kind: str) -> list[Path]:
    """Return the files of a template, relative to it."""
    root = TEMPLATES / kind
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(file for file in found if not any(piece.startswith((".", "__")) for piece in file.parts))


def _check_name(name: str) -> None:
    if "/" in name:
        place = Path(name)
        raise UsageError(
            f"{name!r} is a path, not a name",
            f"write: chatbench init {shlex.quote(place.name or 'NAME')} --directory {shlex.quote(str(place.parent))}",
        )
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise UsageError(
            f"{name!r} cannot name a part",
            f"use small letters, digits and hyphens, at most {LONGEST_NAME}, as in my-chatbot",
        )
    if name in TAKEN or name in {taken for _, taken in lookup.catalogue().parts}:
        raise UsageError(f"the name {name!r} is taken", f"take another one, as in my-{name}")


def _command() -> str:
    """Return how this program is called from here."""
    program = Path(sys.argv[0]).absolute()
    return (
        "chatbench" if shutil.which("chatbench") == str(program) else shlex.quote(_as_typed(program).removeprefix("./"))
    )


def _as_typed(path: Path) -> str:
    """Return a path as one would type it here; a target's name has a slash in it."""
    here = Path.cwd()
    return f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path)
