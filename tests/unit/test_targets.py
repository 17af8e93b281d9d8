"""Parts and targets: what is read, and what a wrong word leads to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EXIT_USAGE, UsageError
from harness.targets import Catalogue, discover, read_part

MONOLITH = """
name = "{name}"
kind = "monolith"
title = "A chatbot"
protocol = "streamlit"
[local]
requirements = "requirements.txt"
start = ["{{python}}", "app.py"]
[variants.2.local]
instances = 2
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "part.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    write(tmp_path / "monolith" / "streamlit", MONOLITH.format(name="streamlit"))
    write(tmp_path / "api" / "django", 'name = "django"\nkind = "api"\ntitle = "Django"\nprotocol = "rest"\n')
    write(tmp_path / "web" / "angular", 'name = "angular"\nkind = "web"\ntitle = "Angular"\n')
    return discover(tmp_path)


def test_targets_are_put_together_from_parts(catalogue: Catalogue) -> None:
    assert catalogue.names() == ["streamlit", "streamlit:2", "django+angular"]
    pair = catalogue.target("django+angular")
    assert (pair.kind, pair.title, pair.protocol) == ("modular", "Django + Angular", "rest")


def test_a_variant_overrides_how_a_part_starts(catalogue: Catalogue) -> None:
    assert catalogue.target("streamlit").server.local.instances == 1
    assert catalogue.target("streamlit:2").server.local.instances == 2


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("streamlt", "streamlt", "did you mean 'streamlit'?"),
        ("django+angula", "angula", "did you mean 'django+angular'?"),
        ("streamlit:3", "'3'", "2"),
        ("django", "api", "django+angular"),
        ("angular+django", "web + api", "django+angular"),
    ],
)
def test_an_unknown_target_is_named_with_the_nearest_one(catalogue: Catalogue, word: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalogue.target(word)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ('titel = "x"', "'titel'", "did you mean 'title'?"),
        ('local = "x"', "'x'", "[local]"),
        ("[local]\nstrat = []", "'strat'", "did you mean 'start'?"),
        ("[local]\ninstances = 0", "0", "whole number"),
        ('[local]\nstart = "python"', "'python'", "list of words"),
        ("[local]\nprepare = [[]]", "[[]]", "list of commands"),
        ("[local.env]\nA = 1", "{'A': 1}", "table of texts"),
        ('features = ["exprt"]', "'exprt'", "did you mean 'export'?"),
        ("[variants.2]\nstart = []", "variants.2", "local, title, model"),
    ],
)
def test_a_wrong_part_key_is_named_with_its_file_and_the_nearest_valid_one(
    tmp_path: Path, line: str, said: str, hint: str
) -> None:
    folder = write(tmp_path / "part", f'name = "a"\nkind = "api"\ntitle = "A"\n{line}\n')
    with pytest.raises(UsageError) as caught:
        read_part(folder)
    assert said in caught.value.message
    assert "part.toml" in caught.value.message
    assert hint in caught.value.hint


def test_a_missing_key_and_a_second_part_of_the_same_name_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="title is missing"):
        read_part(write(tmp_path / "x", 'name = "a"\nkind = "api"\n'))
    write(tmp_path / "t" / "api" / "one", 'name = "a"\nkind = "api"\ntitle = "A"\n')
    write(tmp_path / "t" / "api" / "two", 'name = "a"\nkind = "api"\ntitle = "A"\n')
    with pytest.raises(UsageError, match="is taken by"):
        discover(tmp_path / "t")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"part\.toml"):
        read_part(write(tmp_path / "x", "name = [unclosed"))


@given(st.text(max_size=200))
def test_any_text_as_part_file_ends_in_a_clear_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("part")
    (folder / "part.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read_part(folder)


def test_the_parts_of_this_repository_are_valid() -> None:
    found = discover(Path(__file__).parents[2] / "targets")
    assert {"streamlit", "streamlit:2", "django+angular"} <= set(found.names())
    assert "llm" in found.parts
