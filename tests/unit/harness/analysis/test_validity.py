"""Each rule of validity is provoked by raw samples: what a trial recorded, through figures to verdict and report."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import pytest

from harness import results
from harness.analysis import chat_figures
from harness.analysis.facts import Facts
from harness.analysis.unanswered import own_limits
from harness.analysis.verdict import judge
from harness.records import (
    OWN_LIMIT,
    OWN_LIMIT_WORDS,
    Emission,
    GeneratorSummary,
    PhaseTimes,
    ResourceSample,
    Slo,
    Turn,
    Verdict,
    WorkerShare,
)
from harness.results import turn_table
from reports.content.report import assemble
from reports.pages.files import to_markdown
from reports.pages.html import to_html
from tests import ROOT
from tests.doubles import results_run

USERS, TURNS, CYCLE_S = 10, 400, 2.0
WINDOW = PhaseTimes(start_s=100.0, end_s=180.0)


@dataclass
class Recorded:
    """The raw samples of a good trial: ten users, an answer of a second every two, no two at the same time."""

    turns: list[Turn] = field(default_factory=list)
    emissions: dict[str, Emission] = field(default_factory=dict)
    summary: GeneratorSummary = field(
        default_factory=lambda: GeneratorSummary(
            users=USERS,
            phases={"measure": WINDOW},
            turns_begun=TURNS,
            turns_ended=TURNS,
            turns_written=TURNS,
            live_turn_seconds=0.0,
            cpu_s=8.0,
            stopped_early=False,
            recorder_errors=0,
            sign_in_failures=0,
            locust_version="0",
        )
    )
    foreign_cores: float = 0.02
    steal_cores: float = 0.0
    target_cores: float = 0.5
    throttled_s: float = 0.0
    facts: Facts = field(
        default_factory=lambda: Facts(spare_cpus=True, budget_cores=2, stopped_early=False, turns_needed=40)
    )

    def resources(self) -> pd.DataFrame:
        busy = self.foreign_cores + self.target_cores
        return turn_table.resources_frame(
            ResourceSample(
                t_s=99.0 + n,
                component="app",
                role="target",
                cpu_s=self.target_cores * n,
                anon_bytes=1,
                host_busy_s=busy * n,
                host_idle_s=(2 - busy) * n,
                host_steal_s=self.steal_cores * n,
                foreign_cpu_s=self.foreign_cores * n,
                throttled_s=self.throttled_s * n / 80,
            )
            for n in range(83)
        )

    def verdict(self) -> Verdict:
        turns = turn_table.turns_frame(self.turns, self.emissions.values())
        found = chat_figures.chat_figures(turns, self.resources(), self.summary, Slo())
        return judge(found, self.facts, Slo())


def good() -> Recorded:
    made = Recorded()
    for number in range(TURNS):
        sent_s = WINDOW.start_s + (number // USERS) * CYCLE_S + (number % USERS) * 0.1
        tag = f"{number:016x}"
        made.turns.append(
            Turn(
                user=number % USERS,
                conversation=0,
                turn=number // USERS,
                tag=tag,
                phase="measure",
                intended_s=sent_s,
                sent_s=sent_s,
                first_s=sent_s + 0.4,
                last_s=sent_s + 1.0,
                done_s=sent_s + 1.0,
                ready_s=sent_s + 1.0,
                chunks=3,
                updates=3,
                wire_bytes=200,
                text_bytes=100,
                outcome="ok",
                arrival_s=(0.4, 0.7, 1.0),
                arrival_tokens=(1, 2, 3),
            )
        )
        made.emissions[tag] = Emission(
            tag=tag, request_s=sent_s, ttft_s=0.38, itl_s=0.3, tokens=3, emit_s=(0.38, 0.68, 0.98), finished=True
        )
    made.summary = replace(made.summary, live_turn_seconds=float(TURNS))
    return made


def each(made: Recorded, change: Callable[[Turn], Turn]) -> None:
    made.turns = [change(one) for one in made.turns]


def starved_generator(made: Recorded) -> None:
    """Every message leaves 30 ms late; the users' logged states say so too."""
    each(made, lambda one: replace(one, intended_s=one.sent_s - 0.03))


def busy_generator(made: Recorded) -> None:
    made.summary = replace(made.summary, cpu_s=0.85 * 80)


def one_busy_generator_of_two(made: Recorded) -> None:
    """Together they used half of two cores: the rule is about each process."""
    shares = [WorkerShare(users=5, turns_begun=200, turns_ended=200, turns_written=200, cpu_s=s) for s in (11.2, 68.8)]
    made.summary = replace(made.summary, cpu_s=80.0, workers=tuple(shares))


def late_model(made: Recorded) -> None:
    late = {tag: replace(one, emit_s=(0.38, 0.695, 0.98)) for tag, one in list(made.emissions.items())[:8]}
    made.emissions |= late


def foreign_load(made: Recorded) -> None:
    made.foreign_cores = 0.12


def steal(made: Recorded) -> None:
    made.steal_cores = 0.12


def throttled(made: Recorded) -> None:
    made.throttled_s = 0.6


def generator_without_files(made: Recorded) -> None:
    lost = replace(made.turns[7], outcome="failed", error_kind=OWN_LIMIT, error=f"{OWN_LIMIT_WORDS}Too many open files")
    made.turns[7] = lost
    limits = own_limits(made.turns, None)
    ((words, count),) = limits.items()
    made.facts = replace(made.facts, own_limits=count, own_limit=words)


def lost_line(made: Recorded) -> None:
    del made.turns[200]


def invented_line(made: Recorded) -> None:
    made.turns.append(replace(made.turns[200], tag="f" * 16))
    made.emissions["f" * 16] = replace(made.emissions[made.turns[200].tag], tag="f" * 16)


def times_that_contradict_the_states(made: Recorded) -> None:
    """Every answer is written down as 30 ms shorter than its user waited."""
    each(made, lambda one: replace(one, done_s=(one.done_s or 0.0) - 0.03, ready_s=(one.ready_s or 0.0) - 0.03))


def drift(made: Recorded) -> None:
    """Answers take longer and longer, from a second to one and a half."""

    def slower(one: Turn) -> Turn:
        over_s = (one.done_s or 0.0) + (one.sent_s - WINDOW.start_s) / 160
        return replace(one, done_s=over_s, ready_s=over_s)

    each(made, slower)
    live_s = sum(min(WINDOW.end_s, one.done_s or math.inf) - one.sent_s for one in made.turns)
    made.summary = replace(made.summary, live_turn_seconds=live_s)


def few_turns(made: Recorded) -> None:
    made.turns = made.turns[::11]
    made.summary = replace(made.summary, turns_begun=len(made.turns), live_turn_seconds=float(len(made.turns)))


def missing_emission(made: Recorded) -> None:
    del made.emissions[made.turns[7].tag]


def answer_before_the_model(made: Recorded) -> None:
    """The call that carries the turn's tag began to answer 30 ms after the user had the answer."""
    turn = made.turns[7]
    made.emissions[turn.tag] = replace(made.emissions[turn.tag], request_s=turn.sent_s + 0.05)


def foreign_nonce(made: Recorded) -> None:
    mixed = replace(made.turns[7], outcome="failed", error_kind="foreign_nonce")
    made.turns[7] = mixed
    made.facts = replace(made.facts, foreign_nonces=sum(t.error_kind == "foreign_nonce" for t in made.turns))


def light_load(made: Recorded) -> None:
    """Without spare CPUs the generator is allowed to be late, but not to offer less than it says."""
    each(made, lambda one: replace(one, intended_s=one.sent_s - 0.05))
    made.facts = replace(made.facts, spare_cpus=False)


def nobody_signed_in(made: Recorded) -> None:
    made.facts = replace(made.facts, sign_in_failures=3)


def recorder_broke(made: Recorded) -> None:
    made.facts = replace(made.facts, recorder_errors=2)


def model_died(made: Recorded) -> None:
    made.facts = replace(made.facts, model_exits=("llm ended by itself with -9",))


def machine_without_memory(made: Recorded) -> None:
    exits = ("app ended by itself with -9",)
    made.facts = replace(made.facts, oom_kills=1, limit_reached=False, target_exits=exits)


PROVOKED: Sequence[tuple[Callable[[Recorded], None], str, str]] = (
    (starved_generator, "invalid.schedule_delay", "schedule delay p95 30 ms (limit 10 ms)"),
    (busy_generator, "invalid.generator_busy", "load generator CPU 0.85 cores (limit 0.8 cores)"),
    (one_busy_generator_of_two, "invalid.generator_busy", "load generator CPU 0.86 cores (limit 0.8 cores)"),
    (late_model, "invalid.model_lag", "model lag p99 15 ms (limit 5 ms)"),
    (foreign_load, "invalid.foreign_cpu", "CPU used by other programs 6 % (limit 5 %)"),
    (steal, "invalid.steal", "CPU steal 6 % (limit 5 %)"),
    (throttled, "invalid.throttled", "CPU throttled 600 ms (limit 500 ms)"),
    (
        generator_without_files,
        "invalid.generator_limits",
        "turns that the load generator could not take for a limit of its own 1 (limit 0): Too many open files",
    ),
    (lost_line, "invalid.lost_turns", "lost turns 1 (limit 0)"),
    (invented_line, "invalid.lost_turns", "lost turns 1 (limit 0)"),
    (
        times_that_contradict_the_states,
        "invalid.little",
        "Little's law error 3 % (limit 1 %)",
    ),
    (
        drift,
        "invalid.unsteady",
        "no steady state: difference of mean turn time between the window's halves 20.1 % (limit 12.03 %)",
    ),
    (few_turns, "invalid.few_turns", "turns 37 (minimum 40): too few for a 95th percentile"),
    (missing_emission, "invalid.unmatched", "answers missing from the model's log 1 (limit 0)"),
    (answer_before_the_model, "invalid.early", "answers before the model sent them 1 (limit 0)"),
    (
        foreign_nonce,
        "invalid.foreign_nonce",
        "answers to another user's message 1 (limit 0): the target mixes up its users",
    ),
    (light_load, "invalid.offered", "offered load 97.5 % (minimum 98 %)"),
    (nobody_signed_in, "invalid.sign_in", "users without a session 3 (limit 0): less load than planned"),
    (recorder_broke, "invalid.recorder", "recorder errors 2 (limit 0); see logs/generator.log"),
    (model_died, "invalid.model", "llm ended by itself with -9"),
    (
        machine_without_memory,
        "invalid.machine_memory",
        "processes killed below the target's own memory limit 1 (limit 0): "
        "the machine or an outer group had no memory left",
    ),
)


def test_the_samples_of_a_good_trial_pass() -> None:
    assert good().verdict() == Verdict(outcome="pass")


@pytest.mark.parametrize(("provoke", "code", "text"), PROVOKED, ids=[one.__name__ for one, _, _ in PROVOKED])
def test_samples_that_break_a_rule_make_the_trial_invalid_and_say_so(
    provoke: Callable[[Recorded], None], code: str, text: str
) -> None:
    made = good()
    provoke(made)
    found = made.verdict()
    assert found.outcome == "invalid"
    assert (code, text) in [(one.code, one.text) for one in found.reasons]


def test_generators_that_are_idle_enough_each_may_use_more_than_one_core_together() -> None:
    made = good()
    shares = [WorkerShare(users=5, turns_begun=200, turns_ended=200, turns_written=200, cpu_s=60.0)] * 2
    made.summary = replace(made.summary, cpu_s=120.0, workers=tuple(shares))
    assert made.verdict().outcome == "pass"


def test_a_late_model_is_the_targets_doing_where_the_target_used_all_cpus() -> None:
    made = good()
    late_model(made)
    made.target_cores = 1.9
    assert "invalid.model_lag" not in {one.code for one in made.verdict().reasons}


def test_every_rule_the_verdict_knows_is_provoked_somewhere() -> None:
    modules = [path for path in (ROOT / "harness/analysis").glob("*.py") if path.name != "reason.py"]  # which explains
    sources = "".join(path.read_text(encoding="utf-8") for path in modules)
    known = set(re.findall(r'"(invalid\.[a-z_]+)"', sources))
    elsewhere = {
        "invalid.budget",  # tests/unit/harness/trials/test_trial.py, tests/unit/harness/runtimes/docker/test_budget.py
        "invalid.limits",  # tests/unit/harness/analysis/test_narrow.py
        "invalid.absent",  # tests/unit/harness/analysis/test_verdict.py
        "invalid.unsettled",  # tests/unit/harness/analysis/test_verdict.py
        "invalid.stopped",  # tests/unit/harness/analysis/test_verdict.py
        "invalid.sessions",  # tests/unit/harness/trials/test_trial.py
        "invalid.machine_speed",  # tests/unit/harness/analysis/test_speed.py
        "invalid.users",  # tests/unit/harness/analysis/test_verdict.py, tests/golden/users/test_open.py
    }
    assert known == {code for _, code, _ in PROVOKED} | elsewhere


def test_table_and_page_say_every_reason_in_plain_words(tmp_path: Path) -> None:
    folder = results_run.write_run(tmp_path / "run", results_run.SMALL)
    places = [path for path, one in results.read_trials(folder) if one.key.scenario == "chat"]
    reasons = []
    for provoke, _, _ in PROVOKED:
        made = good()
        provoke(made)
        reasons += made.verdict().reasons
    trial = next(one for path, one in results.read_trials(folder) if path == places[0])
    results.write_trial(places[0], replace(trial, verdict=Verdict(outcome="invalid", reasons=tuple(reasons))))
    report = assemble(folder)
    for shown in (to_markdown(report), to_html(report, ()).replace("&#39;", "'")):
        for reason in reasons:
            assert reason.text in shown


WALL_CLOCKS = re.compile(r"\btime\.time\(|\btime\.time_ns\(|\bdatetime\.now\(|\bdatetime\.utcnow\(|\btime\.localtime\(")
ON_THE_WAY_TO_A_FIGURE = (
    *(ROOT / "loadtests").rglob("*.py"),
    *(ROOT / "harness/runtimes").rglob("*.py"),
    *(ROOT / "targets/llm/llm" / f"{name}.py" for name in ("answering", "scheduler", "connection", "emissions")),
    *(ROOT / "harness/host" / f"{name}.py" for name in ("meter", "procfs", "accounting")),
    *(ROOT / "harness/analysis").glob("*.py"),
    ROOT / "harness/trials/generator.py",
    ROOT / "harness/selftest/relay.py",
)


@pytest.mark.parametrize("path", ON_THE_WAY_TO_A_FIGURE, ids=lambda one: one.relative_to(ROOT).as_posix())
def test_a_step_of_the_wall_clock_changes_no_time_since_none_is_taken_from_it(path: Path) -> None:
    assert not WALL_CLOCKS.search(path.read_text(encoding="utf-8"))


def test_the_search_for_wall_clocks_finds_one() -> None:
    dated = ROOT / "harness/trials/context.py"  # a trial's date, for people
    assert WALL_CLOCKS.search(dated.read_text(encoding="utf-8"))
