"""The project says one word per idea: docs/glossary.toml lists them, with the words they replace."""

import re
import subprocess
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import Any

import pytest

from tests import ROOT
from tests.unit.project.messages import Message, in_source, messages, prose, prose_of

GLOSSARY = tomllib.loads((ROOT / "docs" / "glossary.toml").read_text(encoding="utf-8"))
WORDS = [term for term in (*GLOSSARY["term"], *GLOSSARY["style"]) if "instead_of" in term]
EXCEPTIONS = GLOSSARY["except"]
LOCK = re.compile(r"requirements.*\.txt$|package-lock\.json$")
LONGEST_SENTENCE = 25
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Use:
    """A replaced word, and where it stands."""

    file: str
    line: int
    word: str


def pattern(term: Entry) -> re.Pattern[str]:
    """Return what finds the words that a term replaces: whole words, parts of identifiers included."""
    plain = (rf"(?i:(?<![a-z]){re.escape(word)}(?![a-z]))" for word in term["instead_of"])
    return re.compile("|".join(term.get("patterns", plain)), re.MULTILINE)


@cache
def files() -> dict[str, str]:
    """Return the tracked text files by name, without lock files: tools write those."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = {name: ROOT / name for name in sorted(filter(None, listed.split("\0"))) if not LOCK.search(name)}
    contents = {name: path.read_bytes() for name, path in paths.items() if path.is_file() and not path.is_symlink()}
    return {name: content.decode(errors="replace") for name, content in contents.items() if b"\0" not in content}


@cache
def said() -> tuple[Message, ...]:
    """Return every message of the sources."""
    return tuple(messages())


@cache
def uses(say: str) -> tuple[Use, ...]:
    """Return each use of the words that a term replaces, exceptions included."""
    term = next(one for one in WORDS if one["say"] == say)
    words, where = pattern(term), term.get("where", ["*"])
    looked_at = {name for name in files() if any(fnmatch(name, glob) for glob in where)}
    written = (
        Use(name, text.count("\n", 0, found.start()) + 1, found[0])
        for name, text in files().items()
        if name in looked_at
        for found in words.finditer(text)
    )
    spoken = (
        Use(one.file, one.line, found[0])
        for one in said()
        if one.file not in looked_at
        for found in words.finditer(one.text)
    )
    return (*written, *spoken)


def excepts(exception: Entry, use: Use) -> bool:
    """Return whether an exception lets a file keep a word."""
    word = use.word.lower()
    return word in exception.get("words", [word]) and any(fnmatch(use.file, glob) for glob in exception["files"])


@pytest.mark.parametrize("term", WORDS, ids=lambda term: term["say"])
def test_replaced_word_stands_nowhere(term: Entry) -> None:
    found = [
        f"{use.file}:{use.line}: {use.word} → {term['say']}"
        for use in uses(term["say"])
        if not any(excepts(one, use) for one in EXCEPTIONS)
    ]
    assert not found, f"{len(found)} uses\n" + "\n".join(found)


def test_message_has_short_sentences() -> None:
    found = [
        f"{one.file}:{one.line}: {len(sentence.split())} words: {sentence}"
        for one in (*said(), *prose())
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
    says = [term["say"] for term in (*GLOSSARY["term"], *GLOSSARY["style"])]
    replaced = [word for term in WORDS for word in term["instead_of"]]
    assert len({*says, *replaced}) == len(says) + len(replaced)


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda one: one["files"][0])
def test_every_exception_is_needed(exception: Entry) -> None:
    assert exception["reason"]
    assert any(excepts(exception, use) for term in WORDS for use in uses(term["say"]))


def test_replaced_words_are_found_in_words_and_identifiers() -> None:
    finds = pattern({"instead_of": ["widget"]})
    assert finds.search("a Widget here")
    assert finds.search("widget_count = 1")
    assert not finds.search("widgets")


def test_messages_are_read_from_errors_reasons_and_help() -> None:
    source = """
def f(x):
    text = f"only {x} of it"
    add(help="what it does")
    raise SomeError(text, "do this" if x else f"or {x}")
parser.add_argument("--x", help="an option")
Reason(code="a.b", text="why")
"""
    assert {one.text for one in in_source(source, "x.py")} == {"only … of it", "do this", "or …", "an option", "why"}


def test_prose_is_every_text_but_docstrings_and_data() -> None:
    source = """
'''A module.'''
_TEXT = "words words"
FACTS = "a fact"
def f(x):
    '''A function.'''
    console.print(f"{x} of it")
    return Seen(text="seen" + x)
"""
    assert {one.text for one in prose_of(source, "x.py")} >= {"a fact", "… of it", "seen"}
    assert not {"A module.", "A function.", "words words"} & {one.text for one in prose_of(source, "x.py")}
