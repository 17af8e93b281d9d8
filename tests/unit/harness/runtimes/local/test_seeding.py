"""Seeded data: made once for each state of all that the commands read; a failure leaves nothing."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.runtimes.local import seeding
from harness.runtimes.local.words import Tools
from harness.targets import Local, Part

COPY = "import os, pathlib; pathlib.Path(os.environ['DATA_DIR'], 'db').write_text(open('seed.sql').read())"


def part_of(folder: Path, *script: str, env: Mapping[str, str] | None = None) -> Part:
    local = Local(prepare=(("{python}", "-I", "-c", *(script or (COPY,))),), env=env or {})
    return Part(name="app", kind="monolith", title="A", folder=folder, local=local)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "seed.sql").write_text("one")
    return tmp_path / "bot"


def template(part: Part, root: Path, *, tools: Tools | None = None, seed: int = 42) -> Path:
    tools = tools or Tools(python=Path(sys.executable))
    return seeding.template(part, tools, root, "s", seed, lambda _: None)


def test_data_is_made_anew_when_a_file_that_prepare_reads_changes(folder: Path, tmp_path: Path) -> None:
    first = template(part_of(folder), tmp_path)
    assert (first / "db").read_text() == "one"
    assert template(part_of(folder), tmp_path) == first
    (folder / "seed.sql").write_text("two")
    second = template(part_of(folder), tmp_path)
    assert second != first
    assert (second / "db").read_text() == "two"


def test_a_file_outside_of_the_folder_counts_where_a_command_names_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.sql").write_text("one")
    script = "import os, shutil, sys; shutil.copy(sys.argv[1], os.environ['DATA_DIR'])"
    first = template(part_of(folder, script, "../shared.sql"), tmp_path)
    (tmp_path / "shared.sql").write_text("two")
    second = template(part_of(folder, script, "../shared.sql"), tmp_path)
    assert (first / "shared.sql").read_text() == "one"
    assert (second / "shared.sql").read_text() == "two"


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("../shared",), {}),
        (("--from=../shared/seed.sql",), {}),
        (("cat < '../shared/seed.sql'",), {}),
        ((), {"SEED_FILE": "../shared/seed.sql"}),
        ((), {"SEEDS": "{data}:../shared"}),
    ],
)
def test_files_and_folders_outside_count_wherever_they_are_named(
    folder: Path, tmp_path: Path, words: tuple[str, ...], env: dict[str, str]
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "seed.sql").write_text("one")
    part = part_of(folder, "", *words, env=env)
    first = template(part, tmp_path)
    assert template(part, tmp_path) == first
    (tmp_path / "shared" / "seed.sql").write_text("two")
    assert template(part, tmp_path) != first


@pytest.mark.parametrize("word", ["..", "/", "/proc", "/usr/lib", "x" * 5000, "a\0b"])
def test_a_folder_around_the_part_and_the_systems_own_do_not_count(folder: Path, tmp_path: Path, word: str) -> None:
    part = replace(part_of(folder), local=Local(env={"A": word}, prepare=(("true",),)))
    assert seeding._named_outside(part) == []


def test_projects_and_packages_that_are_installed_count(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "seeds.py").write_text("one")
    (folder / "requirements.txt").write_text("-e ../library\n")
    locked = part_of(folder, "")
    locked = replace(locked, local=replace(locked.local, requirements="requirements.txt"))
    site = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    (site / "faker-1.0.dist-info").mkdir(parents=True)
    ready = replace(locked, local=replace(locked.local, requirements=None, venv="../env"))
    before = [template(part, tmp_path) for part in (locked, ready)]
    assert [template(part, tmp_path) for part in (locked, ready)] == before
    (tmp_path / "library" / "seeds.py").write_text("two")
    (site / "faker-1.0.dist-info").rename(site / "faker-2.0.dist-info")
    after = [template(part, tmp_path) for part in (locked, ready)]
    assert len({*before, *after}) == 4


def test_a_variant_another_seed_and_other_tools_have_data_of_their_own(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "run_once", lambda *_: None)
    monkeypatch.setattr(seeding.postgres, "fill", lambda *words: words[-1]("postgresql://x"))
    part, python = part_of(folder), Path(sys.executable)
    folders = {
        template(part, tmp_path),
        template(part, tmp_path, seed=43),
        template(replace(part, edition="1.44"), tmp_path),
        template(replace(part, local=replace(part.local, env={"A": "1"})), tmp_path),
        template(replace(part, local=replace(part.local, prepare=(("other",),))), tmp_path),
        template(part, tmp_path, tools=Tools(python=python, postgres=Path("pg"))),
        template(part, tmp_path, tools=Tools(python=Path("/envs/other-1/bin/python"))),
    }
    assert len(folders) == 7


def test_only_the_data_that_was_used_last_is_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "KEPT", 3)
    made = []
    for number, text in enumerate(("one", "two", "three")):
        (folder / "seed.sql").write_text(text)
        made.append(template(part_of(folder), tmp_path))
        os.utime(made[-1], times=(0, number))
    another = template(replace(part_of(folder), name="app-2"), tmp_path)
    os.utime(another, times=(0, 0))
    (folder / "seed.sql").write_text("one")
    assert template(part_of(folder), tmp_path) == made[0]  # its use counts
    assert all(one.exists() for one in made)
    (folder / "seed.sql").write_text("four")
    template(part_of(folder), tmp_path)
    assert [one.exists() for one in (*made, another)] == [True, False, True, True]


def test_a_failed_command_shows_its_end_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    script = "import os, pathlib, sys; pathlib.Path(os.environ['DATA_DIR'], 'half').touch(); sys.exit('no such table')"
    with pytest.raises(BenchError, match=r"(?s)app: `.*` ended with 1; the end of .*no such table") as failed:
        template(part_of(folder, script), tmp_path)
    assert list((tmp_path / ".chatbench" / "data").iterdir()) == []
    log = tmp_path / ".chatbench" / "logs" / "prepare-app.log"
    assert str(log) in failed.value.message
    assert "no such table" in log.read_text()


def test_what_an_interrupted_or_killed_preparation_left_goes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = template(part_of(folder), tmp_path)
    left = made.rename(made.with_name(f".{made.name}.999"))  # as by a process that was killed

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(seeding, "run_once", interrupted)
        with pytest.raises(KeyboardInterrupt):
            template(part_of(folder), tmp_path)
    assert list((tmp_path / ".chatbench" / "data").iterdir()) == []
    assert not left.exists()
    assert (template(part_of(folder), tmp_path) / "db").read_text() == "one"


def test_a_command_that_cannot_be_started_or_does_not_end_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = replace(part_of(folder), local=Local(prepare=(("no-such-program", "x y"),)))
    with pytest.raises(BenchError, match=r"`no-such-program 'x y'` cannot be started"):
        template(absent, tmp_path)
    monkeypatch.setattr(seeding, "LIMIT_S", 0.2)
    with pytest.raises(BenchError, match=r"did not end in 0\.2 s"):
        template(part_of(folder, "import time; time.sleep(60)"), tmp_path)


def test_commands_get_the_parts_own_variables(folder: Path, tmp_path: Path) -> None:
    script = "import os, pathlib; pathlib.Path(os.environ['MY_DB']).write_text(os.environ['SEED'])"
    made = template(part_of(folder, script, env={"MY_DB": "{data}/mine"}), tmp_path)
    assert (made / "mine").read_text() == "42"


def test_nothing_to_prepare_is_an_empty_folder(folder: Path, tmp_path: Path) -> None:
    part = replace(part_of(folder), local=Local())
    assert list(template(part, tmp_path).iterdir()) == []
