"""All parts of a folder, and the targets made from them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError
from harness.targets.part import Kind, Part, varied
from harness.targets.part_file import read_part
from harness.targets.strict import nearest
from harness.targets.target import Target

EXAMPLES = "examples"  # folder of worked examples, each as a chatbot of one's own


def _here(folder: str) -> Path:
    """Return a part's folder as typed here."""
    return Path(folder).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All parts found below a folder."""

    parts: Mapping[tuple[Kind, str], Part]

    def of_kind(self, *kinds: Kind) -> list[Part]:
        """Return the parts of these kinds by name."""
        return sorted((part for part in self.parts.values() if part.kind in kinds), key=lambda part: part.name)

    @property
    def model(self) -> Part:
        """The stand-in language model."""
        return self.of_kind("model")[0]

    def names(self) -> list[str]:
        """Return the names of all targets that the parts can make, variants included."""
        names = []
        for part in self.of_kind("monolith"):
            names += [part.name, *(f"{part.name}:{variant}" for variant in part.variants)]
        for api in self.of_kind("api"):
            for name in (api.name, *(f"{api.name}:{variant}" for variant in api.variants)):
                names += [f"{name}+{web.name}" for web in self.of_kind("web")]
        return names + [part.name for part in self.of_kind("no_app")]

    def covering(self, *, containers: bool = False) -> list[str]:
        """Return targets that cover every part and variant: monoliths, and no more pairs than needed.

        ``containers``: without those that only run without containers.
        """
        # front ends that browsers run come first, so that each API serves one
        webs = sorted(self.of_kind("web"), key=lambda part: part.protocol is not None)
        apis = self.of_kind("api")
        pairs = range(max(len(apis), len(webs)) if apis and webs else 0)
        alone = [name for name in self.names() if "+" not in name]
        paired = [f"{apis[n % len(apis)].name}+{webs[n % len(webs)].name}" for n in pairs]
        varied = [f"{api.name}:{variant}+{webs[0].name}" for api in apis if webs for variant in api.variants]
        names = [*alone, *paired, *varied]
        return [name for name in names if not (containers and any(p.only_local for p in self.target(name).parts))]

    def target(self, name: str, find: Callable[[str], Path] = _here) -> Target:
        """Return a target by name (``streamlit``, ``streamlit:2``, ``django+angular``, or a part's folder).

        ``find`` tells where a folder is that was typed elsewhere, or is meant at another revision.

        Raises:
            UsageError: an unknown part or variant, or parts that make no target; names the nearest one.
        """
        words = split(name, find)
        wanted: list[Kind] = ["monolith"] if len(words) == 1 else ["api", "web"]
        parts = tuple(self._part(word, wanted[min(n, len(wanted) - 1)], name, find) for n, word in enumerate(words))
        kinds = tuple(part.kind for part in parts)
        # a monolith that speaks the REST contract can have another page put in front of it
        another_page = kinds == ("monolith", "web") and parts[0].protocol == "rest"
        if kinds not in (("monolith",), ("api", "web"), ("no_app",)) and not another_page:
            raise UsageError(
                f"{name!r} is made from {' + '.join(kinds)}",
                "name a monolith, or an api and a web part: " + ", ".join(self.names()),
            )
        return Target(name=name, parts=parts)

    def _part(self, word: tuple[str, str], kind: Kind, target: str, find: Callable[[str], Path]) -> Part:
        """Return the part of this kind; one name may be taken by a part of each kind."""
        name, variant = word
        named = sorted((part for part in self.parts.values() if part.name == name), key=lambda part: part.kind != kind)
        if "/" in name:
            part = read_part(find(name))
        elif named:
            part = named[0]
        else:
            folder = f"for the folder of that name write ./{name}; " if Path(name, "part.toml").is_file() else ""
            raise UsageError(
                f"unknown target {target!r}: no part {name!r} below targets/", folder + nearest(target, self.names())
            )
        return varied(part, variant) if variant else part


def split(target: str, find: Callable[[str], Path] = _here) -> list[tuple[str, str]]:
    """Return the parts in a target's name, each with its variant ("" for none).

    A folder's path may hold ``+`` and ``:`` itself: the longest beginning that is a part's folder is its path. Where
    none is, the path ends at the first such sign after its last slash. ``find`` returns the folder of a path as typed.
    """
    ends = [found.start() for found in re.finditer(r"[+:]", target)] + [len(target)]
    paths = [end for end in ends if "/" in target[:end]]
    folders = [end for end in paths if (find(target[:end]) / "part.toml").is_file()]
    if folders:
        end = folders[-1]
    elif "/" in target.partition("+")[0]:
        end = next(end for end in paths if "/" not in target[end:])
    else:
        end = ends[0]
    name, rest = target[:end], target[end:]
    variant, plus, others = rest.removeprefix(":").partition("+")
    return [(name, variant), *(split(others, find) if plus else [])]


def discover(root: Path) -> Catalogue:
    """Read every part below ``root`` (the folder ``targets``); examples of other people's are named by their folders.

    Raises:
        UsageError: a damaged part, or two parts of one kind and name.
    """
    parts: dict[tuple[Kind, str], Part] = {}
    for path in sorted([*root.glob("*/part.toml"), *root.glob("*/*/part.toml")]):
        if path.parent.parent == root / EXAMPLES:
            continue
        part = read_part(path.parent)
        taken = parts.setdefault((part.kind, part.name), part)
        if taken is not part:
            raise UsageError(f"{path}: the name {part.name!r} is taken by {taken.folder}", "rename one")
    return Catalogue(parts=parts)
