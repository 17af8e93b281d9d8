"""Five thousand damaged profiles and parts: each is read, or refused with what to do; none ends in a trace."""

import random
import string
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import profiles, targets
from harness.errors import UsageError
from harness.trials.course import course
from tests import ROOT

EACH = 2500
PROFILES = sorted((ROOT / "harness" / "profiles").glob("*.toml"))
PARTS = sorted(ROOT.glob("targets/**/part.toml"))
ODD: tuple[object, ...] = (
    *(-1, 0, 1, 2**63, -(2**63), 1e308, -0.0, 0.5, True, False),
    *("", "x" * 5000, "../../etc", "a\tb", "{python}", "<script>", "🙂"),
    *([], [[]], [1, "a"], [None], {}, {"a": {"b": {"c": 1}}}),
    *(float("inf"), float("nan")),
)


def in_toml(value: Any) -> str:
    """Write a value as TOML, None as an empty text."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
        case list():
            return "[" + ", ".join(in_toml(v) for v in value) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(k)} = {in_toml(v)}" for k, v in value.items()) + "}"
        case None:
            return '""'
    return quoted(str(value))


def quoted(text: str) -> str:
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in text)
    return f'"{escaped}"'


def spoiled_value(draw: random.Random, table: Any, depth: int = 0) -> Any:
    """Change one place of a table: a value, a key, something added or left out."""
    if not isinstance(table, dict) or not table or depth > 3 or draw.random() < 0.1:
        return draw.choice(ODD)
    key = draw.choice(sorted(table))
    changed = dict(table)
    match draw.randrange(5):
        case 0:
            del changed[key]
        case 1:
            changed["".join(draw.choices(string.ascii_letters + "_-. é", k=draw.randrange(1, 12)))] = changed.pop(key)
        case 2:
            changed[key] = draw.choice(ODD)
        case 3:
            changed[draw.choice(["local", "search", "window", "variants", "x"])] = draw.choice(ODD)
        case _:
            changed[key] = spoiled_value(draw, table[key], depth + 1)
    return changed


def spoiled(draw: random.Random, originals: list[Path]) -> bytes:
    """Return a damaged file: its values changed, or its text cut, doubled or sprinkled with bytes."""
    text = draw.choice(originals).read_bytes()
    match draw.randrange(10):
        case 0:
            return text[: draw.randrange(len(text))]
        case 1:
            at = draw.randrange(len(text))
            return text[:at] + draw.randbytes(draw.randrange(1, 8)) + text[at:]
        case 2:
            return text + text
    table = tomllib.loads(text.decode())
    for _ in range(draw.randrange(1, 4)):
        table = spoiled_value(draw, table)
        if not isinstance(table, dict):
            return f"x = {in_toml(table)}\n".encode()
    return "\n".join(f"{quoted(k)} = {in_toml(v)}" for k, v in table.items()).encode()


def use_profile(path: Path) -> None:
    """Read a profile and work out with it what a campaign would first."""
    from harness.trials import duration

    profile = profiles.load(str(path))
    duration.campaign_s(profile, ["a"])
    next(course(profile, "a"))


def use_part(path: Path) -> None:
    """Read a part and put a target together from it, with each of its variants."""
    part = targets.read_part(path.parent)
    for variant in part.variants:
        targets.varied(part, variant)


@pytest.mark.parametrize(
    ("use", "name", "originals"),
    [(use_profile, "spoiled.toml", PROFILES), (use_part, "part.toml", PARTS)],
    ids=["profiles", "parts"],
)
def test_a_damaged_file_is_read_or_refused_with_a_remedy(
    use: Callable[[Path], None], name: str, originals: list[Path], tmp_path: Path
) -> None:
    draw, path = random.Random(20250408), tmp_path / name
    refused = 0
    for number in range(EACH):
        content = spoiled(draw, originals)
        path.write_bytes(content)
        try:
            use(path)
        except UsageError as error:
            refused += 1
            if not error.message or not error.hint:
                pytest.fail(f"file {number} was refused with no word of what to do\n{content.decode(errors='replace')}")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what this test is to find
            pytest.fail(f"file {number} ended in {type(error).__name__}: {error}\n{content.decode(errors='replace')}")
    assert refused > EACH / 3, "hardly any of these files was damaged"
