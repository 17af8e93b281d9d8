"""The generator's plan for a part with a user class of its own, in either runtime."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import profiles
from harness.errors import UsageError
from harness.records import TrialKey
from harness.runtimes.docker.pod import seen_inside
from harness.runtimes.docker.runtime import _dockerfiles
from harness.targets import discover
from harness.trials import generator
from harness.trials.plans import chat_plan, plan_for
from tests import ROOT
from tests.doubles import results_run
from tests.doubles.runtime import FakePrepared

INFO = results_run.target_info(results_run.STREAMLIT)
PART = 'name = "mine"\nkind = "monolith"\ntitle = "Mine"\nprotocol = "mine"\nuser_class = "user.py:OwnPage"\n'


def plan(user_class: str | None, protocol: str) -> generator.LoadPlan:
    return chat_plan(
        profiles.load("smoke"),
        protocol=protocol,
        user_class=user_class,
        instances=("http://127.0.0.1:1",),
        users=1,
        folder=Path("/results/trial"),
        seed=42,
    )


def test_the_plan_names_the_user_class_and_the_container_sees_it_where_its_folder_is_mounted() -> None:
    own = plan("/home/me/mybot/user.py:OwnPage", "mybot")
    assert own.user_class == "/home/me/mybot/user.py:OwnPage"
    assert seen_inside(own).user_class == "/user/user.py:OwnPage"
    assert seen_inside(plan(None, "rest")).user_class is None


def test_a_repetition_changes_nothing_but_its_number() -> None:
    """Think times are drawn by it; tags, messages and answers by the seed alone."""
    prepared = FakePrepared(target=discover(ROOT / "targets").target("streamlit"), seed=42, info=INFO)
    key = TrialKey(target="streamlit", scenario="chat", level=5, repetition=0, number=1)
    first, third = (
        plan_for(replace(key, repetition=n), profiles.load("quick"), prepared, ("http://x",), Path("/r"))
        for n in (0, 2)
    )
    assert (first.repetition, third.repetition) == (0, 2)
    assert replace(third, repetition=0) == first


def test_a_part_elsewhere_has_no_image_and_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "part.toml").write_text(PART)
    (tmp_path / "user.py").touch()
    catalogue = discover(ROOT / "targets")
    with pytest.raises(UsageError) as caught:
        _dockerfiles(catalogue.target(str(tmp_path)), catalogue, ROOT)
    assert str(tmp_path) in caught.value.message
    assert "--runtime local" in caught.value.hint
    assert _dockerfiles(catalogue.target("streamlit"), catalogue, ROOT)
