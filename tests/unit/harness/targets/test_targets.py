"""Parts and targets: what is read, and what a wrong word leads to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EXIT_USAGE, UsageError
from harness.targets import Catalogue, Target, discover, read_part, varied
from tests import ROOT

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
[variants."1.44".local]
requirements = "requirements-1.44.txt"
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
    assert catalogue.names() == ["streamlit", "streamlit:2", "streamlit:1.44", "django+angular"]
    pair = catalogue.target("django+angular")
    assert (pair.kind, pair.title, pair.protocol) == ("modular", "Django + Angular", "rest")


def test_every_part_and_variant_is_covered_by_few_targets(tmp_path: Path) -> None:
    write(tmp_path / "monolith" / "streamlit", MONOLITH.format(name="streamlit"))
    for kind, names in {"api": ("a1", "a2"), "web": ("w1", "w2", "w3")}.items():
        for name in names:
            write(tmp_path / kind / name, f'name = "{name}"\nkind = "{kind}"\ntitle = "One"\n')
    write(tmp_path / "web" / "app", 'name = "app"\nkind = "web"\ntitle = "A server"\nprotocol = "streamlit"\n')
    found = discover(tmp_path)
    assert found.covering() == ["streamlit", "streamlit:2", "streamlit:1.44", "a1+w1", "a2+w2", "a1+w3", "a2+app"]
    assert Catalogue(parts={}).covering() == []


def test_a_web_part_that_is_a_server_answers_the_load_before_its_api(tmp_path: Path) -> None:
    write(tmp_path / "monolith" / "streamlit", MONOLITH.format(name="streamlit"))
    write(
        tmp_path / "api" / "a",
        'name = "a"\nkind = "api"\ntitle = "A"\nprocesses = "2"\n[local]\npython_processes = 2\n',
    )
    page = (
        'name = "streamlit"\nkind = "web"\ntitle = "S"\nprocesses = "3"\nprotocol = "streamlit"\n'
        '[local]\nrequirements = "r.txt"\nstart = ["s"]\n'
    )
    write(tmp_path / "web" / "streamlit", page + "instances = 3\n")
    write(tmp_path / "web" / "w", 'name = "w"\nkind = "web"\ntitle = "W"\n')
    found = discover(tmp_path)
    hybrid, modular = found.target("a+streamlit"), found.target("a+w")
    assert (hybrid.kind, hybrid.protocol, hybrid.processes) == ("hybrid", "streamlit", "A: 2; S: 3")
    assert [part.kind for part in hybrid.servers] == ["api", "web"]
    assert (hybrid.server.kind, hybrid.backend.kind) == ("web", "api")
    assert (hybrid.instances, hybrid.python_processes) == (3, 2 + 3)
    assert (modular.kind, modular.server, modular.instances) == ("modular", modular.backend, 1)
    assert modular.python_processes == 2
    assert found.target("streamlit").kind == "monolith"  # one name, a part of each kind


def test_two_parts_of_one_kind_and_name_are_an_error(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path / folder, 'name = "w"\nkind = "web"\ntitle = "W"\n')
    with pytest.raises(UsageError, match="the name 'w' is taken"):
        discover(tmp_path)


def test_a_variant_overrides_how_a_part_starts(catalogue: Catalogue) -> None:
    assert catalogue.target("streamlit").server.local.instances == 1
    assert catalogue.target("streamlit:2").server.local.instances == 2


def test_variants_of_an_api_make_targets_with_every_web_part_and_each_is_covered_once(tmp_path: Path) -> None:
    write(
        tmp_path / "api" / "a",
        'name = "a"\nkind = "api"\ntitle = "A"\n[variants.plain.local]\nstart = ["a"]\n',
    )
    for name in ("v", "w"):
        write(tmp_path / "web" / name, f'name = "{name}"\nkind = "web"\ntitle = "W"\n')
    found = discover(tmp_path)
    assert found.names() == ["a+v", "a+w", "a:plain+v", "a:plain+w"]
    assert found.covering() == ["a+v", "a+w", "a:plain+v"]
    assert found.target("a:plain+w").backend.local.start == ("a",)


def test_a_variant_that_starts_in_another_way_has_no_image(tmp_path: Path) -> None:
    text = MONOLITH.format(name="streamlit") + '[variants.plain.local.env]\nA = "1"\n'
    write(tmp_path / "monolith" / "streamlit", text)
    found = discover(tmp_path)
    only = {name: found.target(name).server.only_local for name in found.names()}
    assert only == {"streamlit": False, "streamlit:2": False, "streamlit:1.44": False, "streamlit:plain": True}
    assert found.covering() == ["streamlit", "streamlit:2", "streamlit:1.44", "streamlit:plain"]
    assert found.covering(containers=True) == ["streamlit", "streamlit:2", "streamlit:1.44"]


def test_a_variant_with_other_requirements_is_an_edition_with_images_of_its_own(catalogue: Catalogue) -> None:
    names = [catalogue.target(f"streamlit{variant}").server.image_name for variant in ("", ":2", ":1.44")]
    assert names == ["streamlit", "streamlit", "streamlit-1.44"]
    assert catalogue.target("streamlit").server.editions == ("1.44",)


@pytest.mark.parametrize(
    ("word", "said", "hint"),
    [
        ("streamlt", "streamlt", "did you mean 'streamlit'?"),
        ("Streamlit", "Streamlit", "did you mean 'streamlit'?"),
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
        ("[local]\ninstances = 0", "local.instances is 0", "a whole number from 1"),
        ("[local]\ninstances = true", "local.instances is True", "a whole number"),
        ("[local]\npython_processes = -1", "local.python_processes is -1", "a whole number from 0"),
        ("[local]\nready_within_s = 0", "local.ready_within_s is 0", "a number from 1 on"),
        ('[local]\npath = "chat"', "local.path is 'chat'", "a path such as /chat"),
        ('[local]\npath = "/chat/"', "local.path is '/chat/'", "without a slash at its end"),
        ('[local]\nready = "health"', "local.ready is 'health'", "a path such as /health"),
        ('[local]\nrequirements = "r.txt"\nvenv = "v"', "venv stands beside requirements", "leave one of them out"),
        ("version = []", "version is ()", "a command that prints it"),
        ('version = ""', "version is ''", "write the version"),
        ("version = 1", "version is 1", "a text"),
        ('[local]\nenviroment = "A"', "local: unknown key 'enviroment'", "the table [local.env]"),
        ("[local]\nport = 3", "local: unknown key 'port'", "write {port} in start"),
        ('[local]\nhost = "a"', "local: unknown key 'host'", "known: build, dist, env"),
        ('[local]\nworkdir = "a"', "local: unknown key 'workdir'", "known: build, dist, env"),
        ('bind = "a"', "part.toml: unknown key 'bind'", "known: "),
        ('[local]\nvnev = "a"', "local: unknown key 'vnev'", "did you mean 'venv'?"),
        ('[local]\ndst = "a"', "local: unknown key 'dst'", "did you mean 'dist'?"),
        ('[local]\ncommand = ["a"]', "local: unknown key 'command'", "did you mean 'start'?"),
        ('[local]\nfeatures = ["export"]', "local: unknown key 'features'", "move features to the top of the file"),
        ('start = ["a"]', "part.toml: unknown key 'start'", "move start to [local]"),
        ('command = ["a"]', "part.toml: unknown key 'command'", "did you mean 'start' in [local]?"),
        ('[environment]\nA = "1"', "part.toml: unknown key 'environment'", "did you mean 'env' in [local]?"),
        ("[local]\nreplicas = 2", "local: unknown key 'replicas'", "did you mean 'instances'?"),
        ("[variants.2]\nworkers = 2", "variants.2: unknown key 'workers'", "'instances' in [variants.2.local]"),
        ("[variants.2]\ninstances = 2", "variants.2: unknown key 'instances'", "to [variants.2.local]"),
        ("[tests]\nat_least = 0\ncommand = ['a']\npassed = '(1)'", "tests.at_least is 0", "from 1 on"),
        ('[local]\nstart = "python"', "local.start is 'python'", "a list of texts"),
        ('[local]\nstart = ["a", 1]', "local.start[1] is 1", "a text"),
        ("[local]\nprepare = [[]]", "local.prepare[0] is []", "a list of texts"),
        ("[local.env]\nA = 1", "local.env.A is 1", "a text"),
        ('protocol = "rset"', "'rset'", "did you mean 'rest'?; one of your own needs user_class"),
        ('protocol = "a"\nuser_class = "user.Own"', "'user.Own'", '"user.py:Name"'),
        ('protocol = "a"\nuser_class = "user.py:Own"', "'user.py', which does not exist", "part"),
        ('features = ["exprt"]', "'exprt'", "did you mean 'export'?"),
        ("[variants.2]\nstart = []", "variants.2: unknown key 'start'", "move start to [variants.2.local]"),
        ("[variants.2]\nkeys = []", "variants.2: unknown key 'keys'", "local, processes, title"),
        ("[variants.2.local]\nstrat = []", "variants.2.local: unknown key 'strat'", "did you mean 'start'?"),
        ("[variants.2.local]\ninstances = 0", "variants.2.local: instances is 0", "a whole number from 1"),
        ('tests = "pytest"', "tests is 'pytest'", "a table [tests]"),
        ('[tests]\ncomand = ["make"]', "'comand'", "did you mean 'command'?"),
        ('[tests]\ncommand = ["make"]\npassed = "(1)"', "tests: at_least is missing", "at_least to the table [tests]"),
        ('[tests]\ncommand = []\npassed = "(1)"\nat_least = 1', "tests.command is []", "a list of texts"),
        ('[tests]\ncommand = ["make"]\npassed = "("\nat_least = 1', "'('", "regular expression"),
        ('[tests]\ncommand = ["make"]\npassed = "ok"\nat_least = 1', "'ok'", "one group"),
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


def test_an_unknown_kind_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kind is 'webb'") as caught:
        read_part(write(tmp_path / "x", 'name = "a"\nkind = "webb"\ntitle = "A"\n'))
    assert caught.value.hint == "did you mean 'web'?"


def test_a_missing_key_and_a_second_part_of_the_same_name_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="title is missing"):
        read_part(write(tmp_path / "x", 'name = "a"\nkind = "api"\n'))
    write(tmp_path / "t" / "api" / "one", 'name = "a"\nkind = "api"\ntitle = "A"\n')
    write(tmp_path / "t" / "api" / "two", 'name = "a"\nkind = "api"\ntitle = "A"\n')
    with pytest.raises(UsageError, match="is taken by"):
        discover(tmp_path / "t")


OWN = 'name = "own"\nkind = "{kind}"\ntitle = "Own"\nprotocol = "{protocol}"\n'


def test_a_user_class_is_a_file_of_the_part_that_declares_the_protocol(tmp_path: Path, catalogue: Catalogue) -> None:
    text = OWN.format(kind="monolith", protocol="own") + 'user_class = "user.py:OwnPage"\n'
    folder = write(tmp_path / "own", text)
    with pytest.raises(UsageError, match=r"'user\.py', which does not exist"):
        read_part(folder)
    (folder / "user.py").touch()
    assert catalogue.target(f"{folder}").user_class == f"{folder}/user.py:OwnPage"
    assert catalogue.target("streamlit").user_class is None


def test_a_user_class_for_a_protocol_that_has_users_of_ours_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", OWN.format(kind="monolith", protocol="rest") + 'user_class = "user.py:OwnPage"\n')
    (folder / "user.py").touch()
    with pytest.raises(UsageError, match="which has users of its own"):
        read_part(folder)


def test_a_user_class_may_extend_the_one_for_streamlit(tmp_path: Path) -> None:
    text = OWN.format(kind="monolith", protocol="streamlit") + 'user_class = "user.py:OwnPage"\n'
    folder = write(tmp_path / "own", text)
    (folder / "user.py").touch()
    assert read_part(folder).user_class == "user.py:OwnPage"


@pytest.mark.parametrize("name", ["../out", "Upper", "", "-a", "a b", "a_b"])
def test_a_parts_name_can_name_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name is"):
        read_part(write(tmp_path / "x", f'name = "{name}"\nkind = "api"\ntitle = "A"\n'))


def test_another_page_goes_before_a_monolith_that_speaks_rest(tmp_path: Path, catalogue: Catalogue) -> None:
    own = write(tmp_path / "own", OWN.format(kind="monolith", protocol="rest"))
    pair = catalogue.target(f"{own}+angular")
    assert (pair.kind, pair.title, pair.protocol) == ("modular", "Own + Angular", "rest")
    assert catalogue.target(f"{own}").kind == "monolith"
    with pytest.raises(UsageError, match=r"monolith \+ web"):
        catalogue.target("streamlit+angular")


def test_a_folder_named_without_a_slash_is_told_how_to_write_it(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "own", OWN.format(kind="monolith", protocol="rest"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        catalogue.target("own")
    assert "write ./own" in caught.value.hint


@pytest.mark.parametrize("place", ["c++/bot", "bots:v2/bot", "a%2Fb/#c?d@e", "-bot", "чат/b 'o\"t"])
def test_a_folders_path_may_hold_any_sign(
    place: str, tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = OWN.format(kind="monolith", protocol="rest") + "[variants.2.local]\ninstances = 2\n"
    own = write(tmp_path / place, text)
    monkeypatch.chdir(tmp_path)
    for folder in (f"./{place}", str(own)):
        assert catalogue.target(folder).backend.folder == own
        assert catalogue.target(f"{folder}:2").instances == 2
        pair = catalogue.target(f"{folder}:2+angular")
        assert [part.name for part in pair.parts] == ["own", "angular"]


def test_an_absent_folder_is_named_whole(tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match=r"c\+\+/bot/part\.toml does not exist"):
        catalogue.target(f"{tmp_path}/c++/bot:2")


def test_a_python_process_is_counted_where_there_is_a_python(tmp_path: Path) -> None:
    head = 'name = "a"\nkind = "api"\ntitle = "A"\n[local]\nstart = ["a"]\n'
    lines = {"": 0, 'requirements = "r.txt"': 1, 'venv = "v"': 1, "python_processes = 0": 0, "instances = 3": 0}
    for number, line in enumerate(lines):
        target = Target(name="a", parts=(read_part(write(tmp_path / str(number), f"{head}{line}\n")),))
        assert target.python_processes == lines[line], line


def test_a_variant_names_requirements_or_a_ready_environment(tmp_path: Path) -> None:
    text = MONOLITH.format(name="a") + '[variants.ready.local]\nvenv = ".venv"\n'
    part = varied(read_part(write(tmp_path / "a", text)), "ready")
    assert (part.local.requirements, part.local.venv) == (None, ".venv")
    assert part.edition == "ready"
    assert part.only_local


@pytest.mark.parametrize(("line", "version"), [('"1.2"', "1.2"), ('["node", "-v"]', ("node", "-v"))])
def test_a_version_is_a_text_or_a_command(tmp_path: Path, line: str, version: object) -> None:
    folder = write(tmp_path / "a", f'name = "a"\nkind = "api"\ntitle = "A"\nversion = {line}\n')
    assert read_part(folder).version == version


def test_a_user_class_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    text = OWN.format(kind="monolith", protocol="own") + 'user_class = "user.py:OwnPage"\n'
    folder = write(tmp_path / "own", text)
    (folder / "user.py").write_text("import json\nclass OwnPage(\n")
    with pytest.raises(UsageError, match=r"user\.py, line 2: .*class OwnPage\("):
        read_part(folder)
    (folder / "user.py").write_bytes(b"a = '\0'\n")
    with pytest.raises(UsageError, match=r"user\.py"):
        read_part(folder)


def test_examples_are_found_by_their_folders_alone(tmp_path: Path) -> None:
    example = write(tmp_path / "examples" / "one", OWN.format(kind="monolith", protocol="rest"))
    found = discover(tmp_path)
    assert found.names() == []
    assert found.target(str(example)).title == "Own"


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
    found = discover(ROOT / "targets")
    assert {"streamlit", "streamlit:2", "django+angular"} <= set(found.names())
    assert found.model.name == "llm"


def test_a_target_without_an_application_is_a_control_that_starts_nothing() -> None:
    target = discover(ROOT / "targets").target("no-app")
    assert (target.kind, target.no_app, target.instances, target.python_processes) == ("control", True, 0, 0)
    assert (target.protocol, target.web) == ("openai", None)


def test_a_control_is_neither_monolith_nor_modular(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", 'name = "a"\nkind = "monolith"\ntitle = "A"\ncontrol = true\n')
    assert Target(name="a", parts=(read_part(folder),)).kind == "control"
    with pytest.raises(UsageError, match="control is 'yes'"):
        read_part(write(tmp_path / "y", 'name = "a"\nkind = "monolith"\ntitle = "A"\ncontrol = "yes"\n'))


def test_a_direct_part_goes_with_no_other(tmp_path: Path) -> None:
    write(tmp_path / "none", 'name = "none"\nkind = "no_app"\ntitle = "None"\n')
    write(tmp_path / "web" / "w", 'name = "w"\nkind = "web"\ntitle = "W"\n')
    catalogue = discover(tmp_path)
    assert catalogue.names() == ["none"]
    with pytest.raises(UsageError, match=r"made from no_app \+ web"):
        catalogue.target("none+w")


def test_part_of_a_revision_before_0_2_is_read_with_its_former_names(tmp_path: Path) -> None:
    write(
        tmp_path / "none",
        'name = "none"\nkind = "direct"\ntitle = "None"\nmodel = "no process"\n[variants.2]\nmodel = "two"\n',
    )
    write(tmp_path / "llm", 'name = "llm"\nkind = "upstream"\ntitle = "Model"\n')
    found = discover(tmp_path)
    assert found.target("none").no_app
    assert found.target("none").processes == "no process"
    assert found.target("none:2").processes == "two"
    assert found.model.name == "llm"
