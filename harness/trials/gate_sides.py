"""The two sides of a gate: one target at two revisions of the repository that holds it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.environments import read_requirements
from harness.environments.git import repository_of
from harness.environments.revisions import Revision, checkout, remarks
from harness.environments.sources import ignored_files
from harness.errors import BenchError, UsageError
from harness.targets import Catalogue, Part, Target, discover

REVISIONS = Path(".chatbench", "revisions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A target at a revision, and the parts that it is started with."""

    revision: str  # for people
    target: Target
    catalogue: Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both sides by name, the repository whose revisions they are, and what to know about their difference."""

    repository: Path
    by_name: Mapping[str, Side]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where a target's parts come from: by name out of the checkout, by folder out of a repository."""

    here: Catalogue
    root: Path  # the checkout
    repository: Path  # whose revisions are compared
    of_checkout: bool  # it is the checkout's

    def catalogue(self, revision: Revision) -> Catalogue:
        """Return the parts that have names; the model stays that of the checkout as it is."""
        if not self.of_checkout:
            return self.here
        there = discover(self.there(self.root, revision) / "targets")
        return Catalogue(parts={**there.parts, ("model", self.here.model.name): self.here.model})

    def there(self, folder: Path, revision: Revision) -> Path:
        """Return a folder at a revision; one outside of the repository is the same in all."""
        place = folder.resolve()
        inside = place.is_relative_to(self.repository)
        return revision.folder / place.relative_to(self.repository) if inside else place


def sides(name: str, base: tuple[str, str], head: tuple[str, str], here: Catalogue, root: Path) -> Sides:
    """Return a target at two revisions.

    The revisions are those of the repository that holds the target: of the checkout for its own targets, else of the
    repository around the target's folder. The model and everything that measures stay those of the checkout.

    Args:
        name: The target, as typed.
        base: The name of the side, and its revision as typed.
        head: The same of the other side.
        here: The parts of the checkout as they are.
        root: The checkout.

    Raises:
        UsageError: no such target or revision, no repository or several, or a revision without the whole target.
    """
    now = here.target(name)
    repository = _repository(now, root)
    origin = _Origin(here=here, root=root, repository=repository, of_checkout=_holds(repository, root))
    found = {side: checkout(repository, word, root / REVISIONS) for side, word in (base, head)}
    by_name = {side: _side(name, side, now, revision, origin) for side, revision in found.items()}
    folders = [part.folder.relative_to(repository) for part in now.parts if part.folder.is_relative_to(repository)]
    said = remarks(repository, found[base[0]], found[head[0]], folders)
    if len({revision.as_they_are for revision in found.values()}) > 1:
        said += _on_one_side([part for part in now.parts if part.folder.is_relative_to(repository)])
    return Sides(repository=repository, by_name=by_name, remarks=tuple(said))


def _on_one_side(parts: Sequence[Part]) -> list[str]:
    """Return a remark where git ignores files of these parts: no other revision than the files as they are has them."""
    ignored = [part.folder / path for part in parts for path in ignored_files(part)]
    more = f" and {len(ignored) - 1} more" if ignored[1:] else ""
    return [f"git ignores {ignored[0]}{more}: one side has what the other lacks"] if ignored else []


def _repository(target: Target, root: Path) -> Path:
    """Return the one repository whose revisions tell versions of a target apart."""
    own = [part.folder for part in target.parts if not part.folder.is_relative_to(root / "targets")]
    found = list(dict.fromkeys(repository_of(folder) for folder in own or [root]))
    if len(found) > 1:
        raise UsageError(
            f"{target.name}: its parts lie in several repositories: {', '.join(map(str, found))}",
            "one revision cannot name both: keep the parts in one repository",
        )
    return found[0]


def _holds(repository: Path, root: Path) -> bool:
    """Tell if a repository is the checkout's; the checkout may come from an archive, which has none."""
    try:
        return repository_of(root) == repository
    except BenchError:
        return False


def _side(name: str, side: str, now: Target, revision: Revision, origin: _Origin) -> Side:
    """Return a target as a revision has it."""
    told = revision.name if origin.of_checkout else f"{revision.name} of {origin.repository.name}"
    catalogue, target = origin.here, now
    if not revision.as_they_are:
        with _named(name, told):
            if any(part.folder.is_relative_to(origin.root / "targets") for part in now.parts):
                catalogue = origin.catalogue(revision)
            target = catalogue.target(name, find=lambda word: origin.there(Path(word), revision))
        for part in target.parts:
            _require_whole(part, revision)
            _require_apart(part, revision, origin.repository)
    return Side(revision=told, target=replace(target, name=f"{name}@{side}"), catalogue=catalogue)


@contextmanager
def _named(name: str, revision: str) -> Iterator[None]:
    """Say at which revision a target cannot be read."""
    try:
        yield
    except UsageError as error:
        raise UsageError(
            f"{name!r} cannot be taken from {revision}: {error.message}",
            f"{error.hint}; a target that is new, or not committed, has no base to be compared with",
        ) from error


def _require_whole(part: Part, revision: Revision) -> None:
    """Raise UsageError where some of a part's files are not the revision's own."""
    if not part.folder.is_relative_to(revision.folder):
        return
    place, tree = part.folder.relative_to(revision.folder), revision.folder.resolve()
    for path in revision.submodules:
        if path.is_relative_to(place):
            raise UsageError(
                f"{path} is a submodule, whose files are not in this history",
                "name the submodule's own folder as the target, or copy its files into the repository",
            )
    for path in revision.links:
        link = revision.folder / path
        if path.is_relative_to(place) and not link.resolve().is_relative_to(tree):
            raise UsageError(
                f"{path} is a link to {link.readlink()}: both sides would share that file",
                "put the file itself in the place of the link",
            )


def _require_apart(part: Part, revision: Revision, repository: Path) -> None:
    """Raise UsageError where a part names a place among the files as they are: both sides would share it."""
    local, own = part.local, revision.folder.resolve()
    texts = [*local.start, *(word for command in local.prepare for word in command), *local.env.values()]
    texts += [text for text in (local.requirements, local.venv) if text]
    file = part.folder / (local.requirements or "")
    if file.is_file():
        wanted = read_requirements(file, part.folder)
        texts += [str(place) for place in (*wanted.files, *wanted.local, *wanted.editable)]
    inside = re.compile(rf"(?<![\w.-]){re.escape(str(repository))}(?![\w.-])")
    for text in texts:
        if str(own) not in text and inside.search(text):
            raise UsageError(
                f"{part.folder / 'part.toml'} leads to {text}: both sides would use the files as they are",
                "write that path relative to the part's folder",
            )
