"""The project says one word per idea: docs/glossary.toml lists them, with the words they replace."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import Any

import pytest

from tests import ROOT
from tests.unit.project.messages import in_source, messages

GLOSSARY = tomllib.loads((ROOT / "docs" / "glossary.toml").read_text(encoding="utf-8"))
WORDS = [term for term in (*GLOSSARY["term"], *GLOSSARY["style"]) if "instead_of" in term]
EXCEPTIONS = GLOSSARY["except"]
LONGEST_SENTENCE = 25
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a tracked file, or a message in it."""

    file: str
    line: int
    text: str


def pattern(term: Entry) -> re.Pattern[str]:
    """Return what finds the words that a term replaces: whole words, parts of identifiers included."""
    plain = (rf"(?i:(?<![a-z]){re.escape(word)}(?![a-z]))" for word in term["instead_of"])
    return re.compile("|".join(term.get("patterns", plain)))


@cache
def lines() -> list[Place]:
    """Return every line of the tracked text files."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    places = []
    for name in sorted(filter(None, listed.split("\0"))):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and b"\0" not in (content := path.read_bytes())[:1024]:
            text = content.decode(errors="replace")
            places += [Place(name, number, line) for number, line in enumerate(text.splitlines(), start=1)]
    return places


@cache
def said() -> list[Place]:
    """Return every message of the sources."""
    return [Place(one.file, one.line, one.text) for one in messages()]


def uses(term: Entry) -> Iterator[tuple[Place, str]]:
    """Yield place and word of each use of a replaced word, exceptions included."""
    words, where = pattern(term), term.get("where", ["*"])
    held = [one for one in lines() if any(fnmatch(one.file, glob) for glob in where)]
    known = {(one.file, one.line) for one in held}
    for place in held + [one for one in said() if (one.file, one.line) not in known]:
        if found := words.search(place.text):
            yield place, found[0]


def excepts(exception: Entry, place: Place, word: str) -> bool:
    """Return whether an exception lets a file keep a word."""
    named = exception.get("words", [word.lower()])
    return word.lower() in named and any(fnmatch(place.file, glob) for glob in exception["files"])


@pytest.mark.parametrize("term", WORDS, ids=lambda term: term["say"])
def test_replaced_word_stands_nowhere(term: Entry) -> None:
    found = [
        f"{place.file}:{place.line}: {word} → {term['say']}"
        for place, word in uses(term)
        if not any(excepts(one, place, word) for one in EXCEPTIONS)
    ]
    assert not found, f"{len(found)} uses\n" + "\n".join(found)


def test_message_has_short_sentences() -> None:
    found = [
        f"{one.file}:{one.line}: {len(sentence.split())} words: {sentence}"
        for one in messages()
        for sentence in SENTENCE_END.split(one.text)
        if len(sentence.split()) > LONGEST_SENTENCE
    ]
    assert not found, f"{len(found)} sentences above {LONGEST_SENTENCE} words\n" + "\n".join(found)


@pytest.mark.parametrize("term", GLOSSARY["term"], ids=lambda term: term["say"])
def test_meaning_is_one_short_sentence(term: Entry) -> None:
    assert len(term["means"].split()) <= LONGEST_SENTENCE
    assert term["means"].endswith(".")
    assert not SENTENCE_END.search(term["means"])


def test_every_word_is_listed_once() -> None:
    says = [term["say"] for term in GLOSSARY["term"]]
    replaced = [word for term in WORDS for word in term["instead_of"]]
    assert len({*says, *replaced}) == len(says) + len(replaced)


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: one["files"][0])
def test_every_exception_is_needed(exception: Entry) -> None:
    assert exception["reason"]
    assert any(excepts(exception, place, word) for term in WORDS for place, word in uses(term))


def test_replaced_words_are_found_in_words_and_identifiers() -> None:
    finds = pattern({"instead_of": ["widget"]})
    assert finds.search("a Widget here")
    assert finds.search("widget_count = 1")
    assert not finds.search("widgets")


def test_messages_are_read_from_errors_reasons_and_help() -> None:
    source = '''
def f(x):
    text = f"only {x} of it"
    add(help="what it does")
    raise SomeError(text, "do this" if x else f"or {x}")
parser.add_argument("--x", help="an option")
Reason(code="a.b", text="why")
'''
    assert {one.text for one in in_source(source, "x.py")} == {"only … of it", "do this", "or …", "an option", "why"}
