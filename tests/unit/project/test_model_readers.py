"""All builds take the model's text by the same rules: those of one framework import nothing from another's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
READERS = sorted(
    path
    for folder in ("targets", "harness/part_templates")
    for path in (ROOT / folder).rglob("*.py")
    if not {"node_modules", "tests"} & set(path.parts) and "def text_of(said" in path.read_text(encoding="utf-8")
)


def rules(path: Path) -> str:
    """Return the class and the function after it, whatever their JSON and their error are called."""
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^class Events:.*^def text_of\(.*?^    return [^\n]*", text, re.DOTALL | re.MULTILINE)
    assert found, path
    plain = found.group().replace("orjson", "json").replace("LanguageModelError(502, ", "ModelError(")
    return plain.replace("LanguageModelError", "ModelError").strip()


def test_every_build_that_asks_a_model_is_among_them() -> None:
    asking = {path.parent for path in READERS}
    assert len(READERS) == len(asking) == 9, READERS


@pytest.mark.parametrize("path", READERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_rules_are_the_same(path: Path) -> None:
    assert rules(path) == rules(READERS[0])


@pytest.mark.parametrize(
    ("said", "text"), [("a\0", "a"), ("Grüße 😀", "Grüße 😀"), ("a\ud83d", "a?"), (["a"], ""), (None, "")]
)
def test_what_no_database_and_no_page_takes_is_no_text(said: object, text: str) -> None:
    names: dict[str, Any] = {"json": json, "Any": Any}
    exec(rules(READERS[0]), names)  # noqa: S102  # the rules of all of them
    assert names["text_of"]({"content": said}) == text
