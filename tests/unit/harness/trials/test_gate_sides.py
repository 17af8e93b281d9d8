"""The gate's sides: one target at two revisions of the repository that holds it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.analysis.gate import BASE, HEAD
from harness.errors import UsageError
from harness.targets import discover
from harness.trials import gate_sides
from harness.trials.gate_sides import Sides
from tests.doubles.repository import commit, git, new_repository

MODEL = {"targets/llm/part.toml": 'name = "llm"\nkind = "model"\ntitle = "Model"\n'}


def part(title: str, name: str = "mine", kind: str = "monolith") -> str:
    """Return a part.toml whose title says which revision it is of."""
    return f'name = "{name}"\nkind = "{kind}"\ntitle = "{title}"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with a target, a chatbot in a folder of its own, and one that came later."""
    place = new_repository(tmp_path / "checkout")
    files = {"targets/monolith/known/part.toml": part("old", "known"), "bots/mine/part.toml": part("old")}
    commit(place, MODEL | files | {".gitignore": "/.chatbench/\n/ignored/\n"}, "one")
    files = {"targets/monolith/known/part.toml": part("new", "known"), "bots/mine/part.toml": part("new")}
    commit(place, files | {"targets/monolith/later/part.toml": part("later", "later")}, "two")
    return place


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A chatbot in a sub-folder of its own repository, whose branch is called as the checkout's."""
    place = new_repository(tmp_path / "elsewhere")
    commit(place, {"chat bots/mine/part.toml": part("own old"), "shared.py": "old"}, "one")
    commit(place, {"chat bots/mine/part.toml": part("own new"), "shared.py": "new"}, "two")
    return place / "chat bots" / "mine"


@pytest.fixture
def gated(root: Path) -> Callable[..., Sides]:
    """Return both sides of a target, main's last commit but one as base."""

    def sides(name: str, base: str = "main~1", head: str = ".") -> Sides:
        return gate_sides.sides(name, (BASE, base), (HEAD, head), discover(root / "targets"), root)

    return sides


def titles(sides: Sides) -> tuple[str, str]:
    return sides.by_name[BASE].target.title, sides.by_name[HEAD].target.title


def test_a_target_of_the_checkout_has_both_its_versions_and_one_model(gated: Callable[..., Sides], root: Path) -> None:
    sides = gated("known")
    assert titles(sides) == ("old", "new")
    assert [side.target.name for side in sides.by_name.values()] == ["known@base", "known@head"]
    assert {side.catalogue.model.folder for side in sides.by_name.values()} == {root / "targets" / "llm"}
    assert sides.by_name[BASE].revision == f"main~1 ({git(root, 'rev-parse', 'main~1')[:12]})"
    assert sides.by_name[HEAD].revision == "working tree"


@pytest.mark.parametrize("folder", ["./bots/mine", "./targets/monolith/known"])
def test_a_folder_of_the_checkout_by_path_has_both_its_versions(
    gated: Callable[..., Sides], root: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    sides = gated(folder)
    assert titles(sides) == ("old", "new")
    assert sides.by_name[HEAD].target.backend.folder == root / folder
    assert titles(gated(folder, "main", "main~1")) == ("new", "old")


def test_files_that_are_not_committed_are_head_as_it_is(gated: Callable[..., Sides], root: Path) -> None:
    (root / "bots/mine/part.toml").write_text(part("dirty"))
    assert titles(gated(f"{root}/bots/mine", "main")) == ("new", "dirty")
    assert titles(gated(f"{root}/bots/mine", "main~1", "main")) == ("old", "new")


def test_a_chatbot_in_its_own_repository_is_compared_by_that_ones_revisions(
    gated: Callable[..., Sides], own: Path
) -> None:
    sides = gated(str(own))
    assert titles(sides) == ("own old", "own new")
    repository = own.parents[1]
    assert sides.repository == repository
    commit_id = git(repository, "rev-parse", "main~1")[:12]
    assert sides.by_name[BASE].revision == f"main~1 ({commit_id}) of elsewhere"
    beside = sides.by_name[BASE].target.backend.folder.parents[1] / "shared.py"
    assert beside.read_text() == "old"


def test_a_link_to_a_chatbot_leads_to_its_own_repository(gated: Callable[..., Sides], own: Path, root: Path) -> None:
    (root / "bots" / "linked").symlink_to(own)
    assert titles(gated(f"{root}/bots/linked")) == ("own old", "own new")


def test_a_repository_inside_of_the_checkout_has_revisions_of_its_own(
    gated: Callable[..., Sides], own: Path, root: Path
) -> None:
    shutil.copytree(own.parents[1], root / "ignored")
    assert titles(gated(f"{root}/ignored/chat bots/mine")) == ("own old", "own new")


def test_a_checkout_inside_of_another_repository_is_found_in_it(tmp_path: Path) -> None:
    whole = new_repository(tmp_path / "whole")
    for title in ("old", "new"):
        files = MODEL | {"targets/monolith/known/part.toml": part(title, "known")}
        commit(whole, {f"tools/chat/{name}": text for name, text in files.items()}, title)
    root = whole / "tools" / "chat"
    sides = gate_sides.sides("known", (BASE, "HEAD~1"), (HEAD, "HEAD"), discover(root / "targets"), root)
    assert titles(sides) == ("old", "new")


def test_an_own_page_before_an_api_of_the_checkout_changes_alone(
    gated: Callable[..., Sides], root: Path, tmp_path: Path
) -> None:
    commit(root, {"targets/api/rest/part.toml": part("api", "rest", "api")}, "three")
    page = new_repository(tmp_path / "page")
    for title in ("page old", "page new"):
        commit(page, {"part.toml": part(title, "page", "web")}, title)
    assert titles(gated(f"rest+{page}")) == ("api + page old", "api + page new")


def test_parts_of_several_repositories_have_no_common_revision(gated: Callable[..., Sides], tmp_path: Path) -> None:
    for kind in ("api", "web"):
        commit(new_repository(tmp_path / kind), {"part.toml": part(kind, kind, kind)}, "one")
    with pytest.raises(UsageError, match="several repositories") as refused:
        gated(f"{tmp_path}/api+{tmp_path}/web")
    assert f"{tmp_path}/api, {tmp_path}/web" in refused.value.message


def test_a_folder_without_a_history_is_refused_with_what_to_do(gated: Callable[..., Sides], tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "part.toml").write_text(part("plain"))
    with pytest.raises(UsageError, match="not a git repository") as refused:
        gated(f"{tmp_path}/plain")
    assert "chatbench compare" in refused.value.hint


@pytest.mark.parametrize("name", ["later", "{root}/targets/monolith/later", "{root}/ignored/mine", "{root}/bots/fresh"])
def test_a_target_that_base_does_not_have_is_named_with_the_revision(
    gated: Callable[..., Sides], root: Path, name: str
) -> None:
    for folder in ("ignored/mine", "bots/fresh"):
        (root / folder).mkdir(parents=True)
        (root / folder / "part.toml").write_text(part("not committed"))
    with pytest.raises(UsageError) as refused:
        gated(name.format(root=root))
    assert "cannot be taken from main~1 (" in refused.value.message
    assert "a target that is new, or not committed, has no base to be compared with" in refused.value.hint


def test_a_link_out_of_the_repository_is_refused(gated: Callable[..., Sides], root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    (root / "bots/mine/inside.py").symlink_to("../../targets/llm/part.toml")
    commit(root, {}, "three")
    assert titles(gated(f"{root}/bots/mine", "main")) == ("new", "new")
    (root / "bots/mine/outside.py").symlink_to("../../../outside.py")
    commit(root, {}, "four")
    with pytest.raises(UsageError, match=r"bots/mine/outside\.py is a link to \.\./\.\./\.\./outside\.py"):
        gated(f"{root}/bots/mine", "main")


def test_a_submodule_in_a_target_is_refused_and_is_a_target_of_its_own(
    gated: Callable[..., Sides], root: Path, own: Path
) -> None:
    added = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(own.parents[1]))
    git(root, *added, "bots/mine/library")
    commit(root, {}, "three")
    with pytest.raises(UsageError, match="bots/mine/library is a submodule"):
        gated(f"{root}/bots/mine", "main")
    assert titles(gated(f"{root}/bots/mine/library/chat bots/mine")) == ("own old", "own new")


def test_files_that_git_ignores_are_on_one_side_alone(gated: Callable[..., Sides], own: Path) -> None:
    commit(own.parents[1], {".gitignore": "index/\n.env\n*.pyc\n*.log\n*_cache/\nenv/\n"}, "three")
    made = ("run.log", "__pycache__/app.pyc", ".mypy_cache/x", "env/pyvenv.cfg", "env/lib/x.py")
    for name in made:
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text("")
    assert gated(str(own), "main~2").remarks == ()
    (own / "index").mkdir()
    (own / "index" / "vectors.bin").write_text("")
    (own / ".env").write_text("")
    (remark,) = gated(str(own), "main~2").remarks
    assert remark == f"git ignores {own}/.env and 1 more: one side has what the other lacks"
    assert gated(str(own), "main~2", "main").remarks == ()


@pytest.mark.parametrize("place", ["{own}/app.py", "--app={own}", "{own}/../../shared.py:/x"])
def test_a_path_to_the_files_as_they_are_is_refused(gated: Callable[..., Sides], own: Path, place: str) -> None:
    start = f'[local]\nstart = ["python3", "{place.format(own=own)}"]\n'
    commit(own.parents[1], {"chat bots/mine/part.toml": part("absolute") + start}, "three")
    with pytest.raises(UsageError, match="both sides would use the files as they are") as refused:
        gated(str(own), "main")
    assert place.format(own=own) in refused.value.message
    beside = start.replace(str(own.parents[1]), f"{own.parents[1]}-2")
    commit(own.parents[1], {"chat bots/mine/part.toml": part("beside") + beside}, "four")
    assert titles(gated(str(own), "main")) == ("beside", "beside")


@pytest.mark.parametrize(("line", "shared"), [("-e {own}", True), ("-r {own}/more.txt", True), ("-e .", False)])
def test_requirements_of_the_files_as_they_are_are_refused(
    gated: Callable[..., Sides], own: Path, line: str, shared: bool
) -> None:
    written = part("new") + '[local]\nrequirements = "requirements.txt"\n'
    files = {"part.toml": written, "requirements.txt": line.format(own=own), "more.txt": ""}
    commit(own.parents[1], {f"chat bots/mine/{name}": text for name, text in files.items()}, "three")
    if shared:
        with pytest.raises(UsageError, match="both sides would use the files as they are"):
            gated(str(own), "main")
    else:
        assert titles(gated(str(own), "main")) == ("new", "new")
