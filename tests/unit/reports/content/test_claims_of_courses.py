"""Whole courses of ``survey`` on pretended targets: they measure what the claims ask for, and both ways judge alike."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from harness import profiles
from harness.analysis.estimate import predicted
from harness.records import Trial, TrialKey, Verdict, to_json
from harness.trials import campaign
from harness.trials.course import course
from reports.content.claims import JudgedClaim, judge
from reports.content.table import compare
from reports.evidence.conditions import Conditions
from reports.evidence.trials import TrialRef, gather
from reports.verify import claims as again
from tests.doubles import results_run, trials
from tests.unit.reports.cells.test_cells import run_of

SURVEY = profiles.load("survey")
TERMS = Conditions(profile=SURVEY)
DJANGO, NO_REDIS, STREAMLIT, TWO = "django+angular", "django:no-redis+angular", "streamlit", "streamlit:2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A pretended target: users at the edge at the survey's own think time, and what it takes.

    ``contended``: where it fails, the machine is full.
    """

    edge: float
    contended: bool = False
    cores: float = 1.6  # where it fails
    cpu_s: float = 0.01
    idle_cores: float = 0.005
    ttft_s: float = 0.01
    session_bytes: float = 5e4

    def measure(self, key: TrialKey) -> Trial:
        """Return a trial as it would have been measured; repetitions differ by a percent."""
        wobble = 1 + 0.01 * (key.repetition % 3 - 1)
        if key.scenario == "idle":
            steps = {f"memory_bytes_{n}": 1e8 + n * self.session_bytes * (wobble + n / 1e4) for n in (0, 50, 100)}
            slope = {"memory_slope_bytes_per_session": self.session_bytes, "idle_cores": self.idle_cores}
            return trials.trial(key, Verdict(outcome="pass"), {**steps, **slope})
        think_s = SURVEY.thinking(key.parameter).think_mean_s() if key.parameter else SURVEY.think_mean_s()
        edge = predicted(self.edge, SURVEY.answer_mean_s(), SURVEY.think_mean_s(), think_s)
        passed = key.scenario not in ("chat", "think") or key.level <= edge
        per_s = key.level / (SURVEY.answer_mean_s() + think_s)
        cores = self.idle_cores + self.cpu_s * wobble * per_s if passed else self.cores
        figures = {
            "turn_mean_s": SURVEY.answer_mean_s(),
            "target_cores": cores,
            "target_cpu_s_per_turn": cores / per_s,
            "busiest_cpu_s_per_turn": self.cpu_s,
            "added_ttft_p95_s": self.ttft_s * wobble,
            "climb_users": self.edge if key.scenario == "climb" and self.edge < key.level else None,
        }
        verdict = Verdict(outcome="pass" if passed else "fail", contended=self.contended and not passed)
        return trials.trial(key, verdict, figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """The trials of a campaign in order, and the judgements on them."""

    made: list[Trial]
    claims: dict[str, JudgedClaim]

    def keys(self, target: str, scenario: str) -> list[TrialKey]:
        """Return the keys of one target's trials of a scenario."""
        return [one.key for one in self.made if (one.key.target, one.key.scenario) == (target, scenario)]


def surveyed(played: Mapping[str, Played]) -> Surveyed:
    """Play a survey, judge it, and hold the second way of judging to the first."""
    made: list[Trial] = []

    def measure(key: TrialKey) -> Trial:
        made.append(played[key.target].measure(key))
        return made[-1]

    campaign.run_campaign({name: course(SURVEY, name) for name in played}, measure, (), 1, lambda progress: None)
    like = {name: results_run.DJANGO if name.startswith("django") else results_run.STREAMLIT for name in played}
    run = replace(
        run_of(*(replace(model, name=name) for name, model in like.items())),
        profile=SURVEY,
        common_level=SURVEY.search.base_users,
    )
    refs = [TrialRef(f"trials/{n}", one) for n, one in enumerate(made)]
    evidence = gather(run, refs)
    found = {one.id: one for one in judge(run, compare(run, evidence, TERMS), TERMS, evidence)}
    table = {"claims": [one.as_json() for one in found.values()]}
    assert list(again.check(table, to_json(run), {ref.folder: to_json(ref.trial) for ref in refs})) == []
    return Surveyed(made=made, claims=found)


PAIR = {
    DJANGO: Played(edge=700),
    NO_REDIS: Played(edge=690, cpu_s=0.014),
    STREAMLIT: Played(edge=180, session_bytes=9e4),
}


def test_redis_is_judged_by_three_base_trials_a_side_made_in_turns() -> None:
    found = surveyed(PAIR)
    bases = {name: [k for k in found.keys(name, "chat") if k.level == SURVEY.search.base_users] for name in PAIR}
    assert {name: len(keys) for name, keys in bases.items()} == {DJANGO: 3, NO_REDIS: 3, STREAMLIT: 1}
    order = [one.key for one in found.made]
    rounds = [[order.index(key) // len(PAIR) for key in bases[name]] for name in (DJANGO, NO_REDIS)]
    assert rounds[0] == rounds[1]
    claim = found.claims["redis-helps"]
    assert claim.judgement == "supported"
    cpu, ttft = claim.basis[1:]
    assert (cpu.quantity, cpu.low_trials, cpu.high_trials) == ("cpu_ratio", 3, 3)
    assert (ttft.quantity, ttft.low_trials, ttft.high_trials) == ("added_ttft_ratio", 3, 3)
    assert cpu.high == pytest.approx(10 / 14, rel=0.05)
    assert None not in (cpu.low, ttft.low, ttft.high)


def test_idle_cpu_is_not_what_redis_saves() -> None:
    same = {DJANGO: Played(edge=700, idle_cores=0.004), NO_REDIS: Played(edge=700, idle_cores=0.02)}
    claim = surveyed(same).claims["redis-helps"]
    assert claim.judgement == "not settled"
    assert "CPU time per turn without idle CPU: 0.96" in claim.why


def test_where_idle_cpu_is_most_of_it_cpu_time_is_not_compared() -> None:
    busy = {DJANGO: Played(edge=700, idle_cores=0.004), NO_REDIS: Played(edge=700, idle_cores=0.2)}
    assert "cpu_ratio" not in {one.quantity for one in surveyed(busy).claims["redis-helps"].basis}


def test_resources_of_each_user_are_judged_by_two_starts_a_side() -> None:
    found = surveyed(PAIR)
    assert [len(found.keys(name, "idle")) for name in PAIR] == [2, 2, 2]
    claim = found.claims["streamlit-own-resources"]
    assert claim.judgement == "supported"
    assert (claim.basis[0].low_trials, claim.basis[0].high_trials) == (2, 2)


def test_early_is_settled_against_one_process_and_against_two() -> None:
    found = surveyed({DJANGO: Played(edge=700), STREAMLIT: Played(edge=180), TWO: Played(edge=600)})
    assert found.claims["streamlit-early"].judgement == "supported"
    assert found.claims["streamlit-early/streamlit:2"].judgement == "refuted"


def test_early_is_settled_for_plain_builds() -> None:
    plain = {"django:plain+angular": Played(edge=250), "streamlit:plain": Played(edge=45)}
    found = surveyed({DJANGO: Played(edge=700), STREAMLIT: Played(edge=180), **plain})
    assert found.claims["streamlit-early/streamlit:plain"].judgement == "supported"


def test_on_two_cpus_a_number_of_users_depends_on_the_think_time() -> None:
    found = surveyed({DJANGO: Played(edge=700, contended=True), STREAMLIT: Played(edge=180)})
    tried = {(key.parameter, key.level) for key in found.keys(DJANGO, "think")}
    assert tried == {(16, 1400), (3, 1428), (91, 2800)}
    claim = found.claims["several-thousand"]
    assert claim.judgement == "depends"
    assert claim.condition.endswith("(tried at 3.27 s and 99.3 s)")
    assert "failures above the worked-out end, with the load generator beside the target: 4" in claim.why
    assert found.claims["large-loads"].judgement == "not settled"


@pytest.mark.parametrize("edge", [350, 500, 700, 900, 1200, 1700])
def test_what_a_contended_machine_failed_at_below_the_worked_out_end_judges_nothing(edge: int) -> None:
    found = surveyed({DJANGO: Played(edge=edge, contended=True), STREAMLIT: Played(edge=180)})
    fails = [one for one in found.made if one.verdict.contended]
    most = 1.25 * min(one.key.level for one in fails if one.key.scenario == "chat")  # at 1.6 of 2 cores
    for one in found.claims["several-thousand"].basis:
        if one.high_trials and one.think_s is not None:
            there = predicted(most, SURVEY.answer_mean_s(), SURVEY.think_mean_s(), one.think_s)
            assert one.high is not None
            assert one.high > there
    # whatever is tried as a miss counts, if it is one
    for key in found.keys(DJANGO, "think"):
        there = predicted(
            most, SURVEY.answer_mean_s(), SURVEY.think_mean_s(), SURVEY.thinking(key.parameter or 0).think_mean_s()
        )
        assert key.level > there or key.level in (1400, 2800)


def test_a_ratio_has_both_ends_where_every_failure_was_contended() -> None:
    found = surveyed(
        {
            DJANGO: Played(edge=1500, contended=True),
            STREAMLIT: Played(edge=180, contended=True),
            TWO: Played(edge=1200, contended=True),
        }
    )
    one, two = (found.claims[name] for name in ("streamlit-early", "streamlit-early/streamlit:2"))
    assert (one.judgement, two.judgement) == ("supported", "not settled")  # too wide for a threshold of 2
    for claim in (one, two):
        assert None not in (claim.basis[0].low, claim.basis[0].high)
    for name in (DJANGO, STREAMLIT, TWO):
        keys = [key for key in found.keys(name, "chat") if key.level > SURVEY.search.base_users]
        top = max(key.level for key in keys)
        fails = [one.key.level for one in found.made if one.key in keys and one.verdict.outcome == "fail"]
        assert [key.level for key in keys if key.level == top] == [top, top]
        assert top == round(1.25 * min(fails)) + 1  # at 1.6 of 2 cores


def test_targets_that_no_claim_speaks_of_are_not_tried_above_a_worked_out_end() -> None:
    found = surveyed({"fastapi+react": Played(edge=700, contended=True)})
    fails = [one.key.level for one in found.made if one.verdict.outcome == "fail"]
    assert max(fails) < 1.2 * min(fails)
