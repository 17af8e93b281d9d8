"""Profiles: the ones that come along, and what a wrong value leads to."""

from pathlib import Path

import pytest

from harness import profiles
from harness.errors import EXIT_USAGE, UsageError
from harness.records import from_json, to_json

GOOD = 'purpose = "x"\nthink_s = 2\n[answer]\nttft_s = 0.3\nitl_s = 0.02\ntokens = 40\n'


def test_the_profiles_that_come_along_are_valid_and_survive_a_round_trip() -> None:
    assert profiles.names() == ["article", "gate", "interval", "quick", "scenarios", "smoke"]
    for name in profiles.names():
        profile = profiles.load(name)
        assert from_json(profiles.Profile, to_json(profile)) == profile


def test_quick_is_what_the_method_states() -> None:
    quick = profiles.load("quick")
    assert quick.think_mean_s() == pytest.approx(3, rel=1e-3)
    assert quick.cycle_s() == pytest.approx(0.3 + 40 * 0.02 + 3, rel=1e-3)
    assert quick.slo.added_ttft_p95_s == 0.5


def test_article_lengths_have_the_mean_of_the_azure_trace() -> None:
    answer = profiles.load("article").answer
    from math import exp

    assert answer.tokens.median * exp(answer.tokens.sigma**2 / 2) == pytest.approx(211, rel=0.01)


def test_an_unknown_profile_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="quik") as caught:
        profiles.load("quik")
    assert caught.value.hint == "did you mean 'quick'?"
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize(
    ("change", "said", "hint"),
    [
        ("thnk_s = 3\n" + GOOD, "'thnk_s'", "did you mean 'think_s'?"),
        (GOOD + "tokenz = 3\n", "'tokenz'", "did you mean 'tokens'?"),
        (GOOD.replace("think_s = 2", 'think_s = "2"'), "'2'", "table"),
        (GOOD.replace("think_s = 2", "think_s = -2"), "-2", "number"),
        (GOOD.replace("think_s = 2\n", ""), "think_s is missing", "add think_s"),
        (GOOD.replace("tokens = 40", "tokens = 1"), "out of range", "answer.tokens"),
        (GOOD + "[search]\ngrowth = 1\n", "out of range", "search.growth"),
        (GOOD + "[idle]\nsteps = [5, 0]\n", "[5, 0]", "ascending"),
        (GOOD + "[window]\nmeasure_min_s = nan\n", "nan", "number"),
        ("purpose = [", "toml", "TOML"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(tmp_path: Path, change: str, said: str, hint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(change, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        profiles.load(str(path))
    assert said in caught.value.message
    assert "mine.toml" in caught.value.message
    assert hint in caught.value.hint


def test_memory_per_session_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("idle = false\n" + GOOD, encoding="utf-8")
    assert profiles.load(str(path)).idle is None
