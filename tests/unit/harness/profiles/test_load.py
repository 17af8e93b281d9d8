"""Profiles: the ones that come along, and what a wrong value leads to."""

import tomllib
from pathlib import Path

import pytest

from harness import profiles
from harness.errors import EXIT_USAGE, UsageError
from harness.records import Profile, from_json, to_json

GOOD = 'purpose = "x"\nthink_s = 2\n[answer]\nttft_s = 0.3\nitl_s = 0.02\ntokens = 40\n'


def test_the_profiles_that_come_along_are_valid_and_survive_a_round_trip() -> None:
    assert profiles.names() == [
        "article",
        "endurance",
        "gate",
        "interval",
        "interval-short",
        "quick",
        "scenarios",
        "smoke",
        "survey",
    ]
    for name in profiles.names():
        profile = profiles.load(name)
        assert from_json(Profile, to_json(profile)) == profile


def test_what_only_asks_whether_a_target_works_spreads_its_think_times() -> None:
    """Constant think times and answers let all users fall into step on a slow server."""
    asking = [name for name in profiles.names() if not profiles.load(name).capacity]
    assert asking == ["scenarios", "smoke"]
    assert all(profiles.load(name).think_s.sigma > 0 for name in asking)
    assert profiles.load("smoke").think_mean_s() == pytest.approx(1, rel=1e-3)


def test_quick_is_what_the_method_states() -> None:
    quick = profiles.load("quick")
    assert quick.think_mean_s() == pytest.approx(3, rel=1e-3)
    assert quick.cycle_s() == pytest.approx(0.3 + 40 * 0.02 + 3, rel=1e-3)
    assert quick.slo.added_ttft_p95_s == 0.5


def test_article_lengths_are_those_of_the_azure_trace() -> None:
    answer = profiles.load("article").answer
    table = tomllib.loads((profiles.LENGTHS / "azure-2023-conversation.toml").read_text())
    assert answer.tokens_quantiles == tuple(table["quantiles"])
    assert "CC-BY" in table["licence"]
    assert table["source"].startswith("https://github.com/Azure/AzurePublicDataset/")
    # what is known of the whole trace; the sample is one of clusters, and off by as much
    assert answer.tokens_mean() == pytest.approx(table["whole"]["mean"], rel=0.03)
    assert answer.tokens.median == pytest.approx(table["whole"]["median"], rel=0.08)
    assert answer.tokens_quantiles[18] == table["whole"]["p90"]
    assert answer.tokens_quantiles[10] == answer.tokens.median


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('lengths = "azure-2023-conversatio"', "azure-2023-conversation"),
        ('lengths = "azure-2023-conversation"\ntokens = 40', "leave one of them out"),
        ("tokens = 40\ntokens_quantiles = [1, 9]", "tokens_quantiles"),
        ("tokens = 40\ntokens_quantiles = [9]", "tokens_quantiles"),
        ("tokens = 40\ntokens_quantiles = [9, 3]", "ascending"),
    ],
)
def test_lengths_that_cannot_be_are_refused(tmp_path: Path, answer: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'purpose = "x"\nthink_s = 1\n[answer]\nttft_s = 0.1\nitl_s = 0.02\n{answer}\n')
    with pytest.raises(UsageError) as caught:
        profiles.load(str(path))
    assert said in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[open]\nper_minute = 0", "open.per_minute"),
        ("[open]\npercent = [0, 70]", "open.percent"),
        ("[spike]\ntimes = 1", "spike.times"),
        ("[spike]\nwindow_s = 50", "spike.window_s"),
        ("[soak]\nminutes = 1", "soak.block_s"),
        ("[soak]\nminute = 1", "minutes"),
    ],
)
def test_other_workloads_are_read_strictly(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'purpose = "x"\nthink_s = 1\n{table}\n[answer]\nttft_s = 0.1\nitl_s = 0.02\ntokens = 9\n')
    with pytest.raises(UsageError) as caught:
        profiles.load(str(path))
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_other_workloads_are_off_unless_a_profile_asks_for_them() -> None:
    for name in ("quick", "smoke", "gate", "interval"):
        profile = profiles.load(name)
        assert (profile.open, profile.spike, profile.soak) == (None, None, None)
    for name in ("article", "endurance", "scenarios"):
        profile = profiles.load(name)
        assert None not in (profile.open, profile.spike, profile.soak)


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
        (GOOD.replace("tokens = 40", "tokens = 1"), "answer.tokens.median is 1.0", "2 or more"),
        (GOOD + "[search]\ngrowth = 1\n", "search.growth is 1.0", "a number above 1"),
        (GOOD + "[search]\nclaims = true\nrepetitions = 1\n", "search.repetitions is 1", "2 or more"),
        ("capacity = false\n" + GOOD + "[search]\nclaims = true\n", "search.claims is True", "where capacity is false"),
        (GOOD + "[idle]\nsteps = [5, 0]\n", "idle.steps is [5, 0]", "ascending"),
        (GOOD + "[idle]\nsteps = [0, -5]\n", "idle.steps[1] is -5", "a whole number from 0"),
        (GOOD + "[idle]\nsteps = 5\n", "idle.steps is 5", "a list of whole numbers"),
        ("audit = 1\n" + GOOD, "audit is 1", "true or false"),
        ("idle = true\n" + GOOD, "idle is True", "a table [idle]"),
        (GOOD + "[search]\nhighest = 1e12\n", "search.highest is", "a whole number"),
        (GOOD + "[window]\nmeasure_min_s = nan\n", "window.measure_min_s is nan", "number"),
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
