"""A target that hangs before anything is measured fails; a trial that was only too short says nothing."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import chat_figures
from harness.analysis.facts import Facts
from harness.analysis.unanswered import commonest, lost_tags, own_limits, waited_s
from harness.analysis.validity import Validity, disturbances
from harness.analysis.verdict import judge
from harness.records import (
    OWN_LIMIT,
    OWN_LIMIT_WORDS,
    AnswerPlan,
    Distribution,
    Emission,
    GeneratorSummary,
    PhaseTimes,
    ResourceSample,
    Slo,
    Turn,
    Verdict,
    Visit,
    to_json,
)
from harness.records.recipe import nonce_of
from harness.results import turn_table
from loadtests.reading import judge as judge_text
from reports.verify import waiting

ANSWER = AnswerPlan(ttft_s=Distribution(median=0.3), itl_s=0.02, tokens=Distribution(median=40))
USERS = 10
SUMMARY = GeneratorSummary(
    users=USERS,
    phases={
        "ramp_up": PhaseTimes(start_s=100.0, end_s=104.0),
        "warm_up": PhaseTimes(start_s=104.0, end_s=108.0),
        "measure": PhaseTimes(start_s=108.0, end_s=128.0),
        "drain": PhaseTimes(start_s=128.0, end_s=133.0),
    },
    turns_begun=0,
    turns_ended=0,
    turns_written=USERS,
    live_turn_seconds=USERS * 20.0,
    cpu_s=0.2,
    stopped_early=False,
    recorder_errors=0,
    sign_in_failures=0,
    locust_version="0",
)
FACTS = Facts(spare_cpus=True, budget_cores=2, stopped_early=False, turns_needed=40)


def turn(user: int, sent_s: float, done_s: float | None = None, **changes: object) -> Turn:
    made = Turn(
        user=user,
        conversation=0,
        turn=0,
        tag=f"{user:08x}{int(sent_s * 100):08x}",
        phase="measure" if sent_s >= 108 else "ramp_up",
        intended_s=sent_s,
        sent_s=sent_s,
        done_s=done_s,
        outcome="incomplete" if done_s is None else "ok",
        error_kind="unfinished" if done_s is None else None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def waits(turns: Sequence[Turn], summary: GeneratorSummary = SUMMARY, answer: AnswerPlan = ANSWER) -> float | None:
    """Ask the harness and, apart from it, what checks it: both have to say the same."""
    found = waited_s(turns, summary, answer)
    frame = turn_table.turns_frame(turns, {})
    columns = {name: frame[name].to_numpy(dtype=float) for name in ("sent_s", "done_s")}
    columns["outcome"] = frame["outcome"].to_numpy(dtype=object)
    again = waiting.waited_s(columns, to_json(summary), to_json(answer))
    assert found == pytest.approx(again) if found is not None else again is None
    return found


def verdict(turns: Sequence[Turn], summary: GeneratorSummary = SUMMARY, facts: Facts = FACTS) -> Verdict:
    resources = turn_table.resources_frame(
        ResourceSample(
            t_s=float(t),
            component="app",
            role="target",
            cpu_s=0.0,
            host_busy_s=0.1 * t,
            host_idle_s=1.9 * t,
            host_steal_s=0.0,
            foreign_cpu_s=0.0,
        )
        for t in range(100, 140)
    )
    log = [
        Emission(tag=t.tag, request_s=t.sent_s, ttft_s=0.3, itl_s=0.02, tokens=1, emit_s=(0.3,), finished=True)
        for t in turns
        if t.outcome == "ok"
    ]
    found = chat_figures.chat_figures(turn_table.turns_frame(turns, log), resources, summary, Slo())
    known = replace(facts, waited_s=waits(turns, summary), commonest_failure=commonest(turns))
    return judge(found, known, Slo())


HUNG = [turn(user, 101.0 + user * 0.2) for user in range(USERS)]


def test_a_target_that_hung_before_measuring_fails_and_the_reason_says_how_long_nobody_was_answered() -> None:
    found = verdict(HUNG)
    assert found.outcome == "fail"
    assert [r.code for r in found.reasons] == ["target.unanswered"]
    assert found.reasons[0].text.startswith("no answer within 31.1 s")


def test_users_who_are_cut_off_after_a_time_and_ask_again_wait_too() -> None:
    cut = [replace(one, done_s=one.sent_s + 16, outcome="failed", error_kind="timeout") for one in HUNG]
    again = [turn(user, 119.0 + user * 0.2) for user in range(USERS)]
    summary = replace(SUMMARY, turns_begun=USERS, live_turn_seconds=USERS * 18.0)
    found = verdict([*cut, *again], summary)
    assert found.outcome == "fail"
    assert found.reasons[0].code == "target.unanswered"


def test_a_hang_that_other_things_may_explain_is_invalid() -> None:
    dead = replace(FACTS, model_exits=("the model did not answer either: timed out",))
    assert [r.code for r in verdict(HUNG, facts=dead).reasons] == ["invalid.model"]
    broken = replace(FACTS, recorder_errors=1)
    assert [r.code for r in verdict(HUNG, facts=broken).reasons] == ["invalid.recorder"]
    assert [r.code for r in verdict(HUNG, facts=replace(FACTS, no_app=True)).reasons] == ["invalid.few_turns"]


def few_codes(turns: Sequence[Turn], summary: GeneratorSummary) -> list[str]:
    found = verdict(turns, summary)
    assert found.outcome == "invalid"
    return [r.code for r in found.reasons]


def test_a_trial_that_is_too_short_for_its_answers_stays_invalid() -> None:
    """A window of half a second in the middle of answers that take one: all users wait in it, and all are cut off."""
    phases = SUMMARY.phases | {
        "measure": PhaseTimes(start_s=108.0, end_s=108.5),
        "drain": PhaseTimes(start_s=108.5, end_s=108.5),
    }
    short = replace(SUMMARY, phases=phases, live_turn_seconds=USERS * 0.5)
    assert few_codes([turn(user, 107.8, phase="warm_up") for user in range(USERS)], short) == ["invalid.few_turns"]


def test_a_trial_whose_few_users_think_stays_invalid() -> None:
    turns = [turn(user, 110.0 + user, 111.1 + user) for user in range(USERS)]
    summary = replace(SUMMARY, turns_begun=USERS, live_turn_seconds=USERS * 1.1)
    codes = few_codes(turns, summary)
    assert "invalid.few_turns" in codes


def test_one_user_of_ten_who_hangs_is_no_hang_of_the_target() -> None:
    assert waits(HUNG[:1]) is None
    assert waits(HUNG[:7]) is None
    assert waits(HUNG) == pytest.approx(float(np.median([133.0 - one.sent_s for one in HUNG])))


def hangs_at(from_s: float, users: int = USERS) -> list[Turn]:
    """Every user is answered once a second until then, and never again."""
    answered = [turn(u, 108.0 + n + u / 20, 108.6 + n + u / 20) for u in range(USERS) for n in range(int(from_s) - 108)]
    return [*answered, *(turn(u, from_s + u / 20) for u in range(users))]


def test_a_target_that_hangs_while_it_is_measured_lets_everybody_wait_from_then_on() -> None:
    turns = hangs_at(111.0)
    summary = replace(
        SUMMARY, turns_begun=len(turns), live_turn_seconds=sum(min(t.done_s or 128, 128) - t.sent_s for t in turns)
    )
    assert waits(turns) == pytest.approx(133.0 - 111.225)
    found = verdict(turns, summary, replace(FACTS, turns_needed=60))
    assert found.outcome == "fail"
    assert "target.unanswered" in [r.code for r in found.reasons]
    assert waits(hangs_at(118.0)) == pytest.approx(133.0 - 118.225)


def test_what_is_too_late_or_not_everybody_is_no_hang_while_it_is_measured() -> None:
    assert waits(hangs_at(126.0)) is None  # two seconds: an answer may take as long
    assert waits(hangs_at(118.0, users=7)) is None
    served = [turn(0, 118.0 + n, 118.5 + n) for n in range(10)]
    assert waits([*hangs_at(118.0)[:-USERS], *served, *hangs_at(118.0)[1 - USERS :]]) is None


def test_the_commonest_failure_is_named_with_its_commonest_words() -> None:
    refused = [turn(n, 110.0, 110.1, outcome="failed", error_kind="connection", error="refused") for n in range(3)]
    other = [turn(4, 110.0, 110.1, outcome="failed", error_kind="connection", error="reset\n by peer")]
    late = [turn(5 + n, 110.0, outcome="incomplete") for n in range(2)]
    assert commonest([*refused, *other, *late]) == "connection: refused"
    assert commonest(other) == "connection: reset by peer"
    assert commonest(late) == "unfinished"
    assert commonest([turn(1, 110.0, 111.0)]) is None
    assert commonest([replace(refused[0], phase="ramp_up")]) is None
    assert len(commonest([replace(refused[0], error="x" * 900)]) or "") < 200


def test_a_missed_failure_ratio_says_what_mostly_became_of_the_turns() -> None:
    numbers: dict[str, float | None] = {"turns": 50.0, "failure_ratio": 1.0}
    facts = replace(FACTS, commonest_failure="connection: refused")
    (reason,) = judge(numbers, facts, Slo()).reasons
    assert reason.text == "failed or unfinished turns 100 % (limit 1 %), mostly connection: refused"
    (plain,) = judge(numbers, FACTS, Slo()).reasons
    assert plain.text == "failed or unfinished turns 100 % (limit 1 %)"


def test_an_answer_to_no_message_at_all_is_one_whose_tag_was_lost() -> None:
    first, second = turn(0, 110.0), turn(1, 110.0)

    def answered(nonce: str) -> Turn:
        failure = judge_text(f"{nonce} blue [end]", nonce_of(42, second.tag), finished=True)
        assert failure is not None
        return replace(second, outcome="failed", error_kind=failure.kind, error=failure.message)

    assert lost_tags([first, answered(nonce_of(42, first.tag))], 42) == 0
    assert lost_tags([first, answered("0123456789ab")], 42) == 1
    assert lost_tags([first, second], 42) == 0


@pytest.mark.parametrize(("nonce", "lost"), [(nonce_of(42, "a"), 0), ("0123456789ab", 1)])
def test_an_answer_on_a_page_is_looked_up_likewise(nonce: str, lost: int) -> None:
    one = replace(turn(0, 110.0), tag="a", outcome="failed", error_kind="foreign_nonce")
    assert lost_tags([replace(one, error=f"an answer that starts with {nonce} is on this page")], 42) == lost


@pytest.mark.parametrize(
    ("lost", "why"), [(0, "mixes up its users"), (1, "mixes up its users"), (2, "X-Chatbench-Tag can carry it")]
)
def test_a_lost_tag_is_told_apart_from_users_that_are_mixed_up(lost: int, why: str) -> None:
    (reason,) = disturbances({}, replace(FACTS, foreign_nonces=2, lost_tags=lost), Validity())
    assert reason.code == "invalid.foreign_nonce"
    assert reason.text.endswith(why)


def test_limits_of_the_load_generator_are_counted_by_their_words() -> None:
    files, ports = f"{OWN_LIMIT_WORDS}Too many open files", f"{OWN_LIMIT_WORDS}no port"
    one = Turn(user=0, conversation=0, turn=0, tag="a", phase="measure", intended_s=110, sent_s=110, outcome="failed")
    turns = [replace(one, error_kind=OWN_LIMIT, error=error) for error in (files, ports, files)]
    turns.append(replace(one, error_kind="connection", error="refused"))
    visits = tuple(Visit(user=0, start_s=110, error=error) for error in (files, "refused", None))
    found = own_limits(turns, replace(SUMMARY, visits=visits))
    assert found == {"Too many open files": 3, "no port": 1}
    assert own_limits(turns[-1:], None).total() == 0
