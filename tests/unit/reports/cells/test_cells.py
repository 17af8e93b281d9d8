"""Cells of the comparison: capacities, ratios, costs, memory."""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import pytest

from harness.analysis.capacity import Capacity
from harness.records import Reason, Run, Trial, TrialKey, Verdict, to_json
from reports.cells import cost, servers
from reports.cells.capacity import capacity_cell
from reports.cells.cell import Cell
from reports.cells.memory import memory_cells, slope_cell
from reports.cells.ratios import capacity_bracket, capacity_ratio, quotient
from reports.cells.scalability import COMMON, common_cell
from reports.content.report import _instances
from reports.content.table import Table, compare
from reports.evidence.conditions import Conditions
from reports.evidence.trials import Evidence, TrialRef, columns, gather
from reports.verify import cells as second
from tests.doubles import results_run

PASS, FAIL = Verdict(outcome="pass"), Verdict(outcome="fail", reasons=(Reason(code="slo.lateness_p95_s", text="late"),))
CONTENDED = Verdict(outcome="fail", contended=True)
INVALID = Verdict(outcome="invalid", reasons=(Reason(code="invalid.steal", text="CPU steal 9 % (limit 5 %)"),))


def trial(
    target: str, level: int, verdict: Verdict, *, scenario: str = "chat", repetition: int = 0, **figures: float | None
) -> Trial:
    return Trial(
        key=TrialKey(target=target, scenario=scenario, level=level, repetition=repetition, number=level),
        started_at="2026-11-22T08:00:00Z",
        limits=results_run.limits(results_run.STREAMLIT),
        components=(),
        summary=None,
        verdict=verdict,
        figures={"live_streams_mean": level / 5, **figures},
        files={},
    )


def run_of(*models: results_run.Measured) -> Run:
    return Run(
        run_id="r",
        created_at="2026-11-22T08:00:00Z",
        command=(),
        tool_version="0.1.0",
        seed=1,
        runtime="local",
        profile=results_run.PROFILE,
        machine={},
        common_level=10,
        targets={m.name: results_run.target_info(m) for m in models},
    )


def evidence(*trials: Trial) -> Evidence:
    run = run_of(results_run.STREAMLIT)
    return gather(run, [TrialRef(f"trials/{i}", t) for i, t in enumerate(trials)])["streamlit"]


TERMS = Conditions(profile=results_run.PROFILE)


def table_of(run: Run, *trials: Trial) -> Table:
    return compare(run, gather(run, [TrialRef(f"trials/{i}", t) for i, t in enumerate(trials)]), TERMS)


def capacity_of(*outcomes: tuple[int, Verdict]) -> Cell:
    return capacity_cell(evidence(*(trial("streamlit", n, v) for n, v in outcomes)), TERMS)


def test_a_capacity_states_think_time_answers_and_live_streams() -> None:
    cell = capacity_of((10, PASS), (20, PASS), (25, FAIL))
    assert (cell.value, cell.bracket, cell.unit, cell.verdict) == (20, (20, 25), "users", "measured")
    assert cell.text.startswith("20–25 users; 20 and 25 tried once (one session on one machine; think time 3 s;")
    assert cell.text.endswith("answers of 40 tokens; 4 live streams at 20 users)")
    assert cell.rests_on == ("trials/1", "trials/2")


def test_no_server_is_counted_for_a_target_that_one_user_is_too_many_for() -> None:
    base, quiet = trial("streamlit", 10, FAIL, target_cores=1.0), idle_trial(idle_cores=0.0)
    found = servers.cell(evidence(base, trial("streamlit", 5, PASS, target_cores=0.6), quiet))
    assert found.verdict == "measured"
    nobody = servers.cell(evidence(base, trial("streamlit", 1, FAIL)))
    assert (nobody.verdict, nobody.value) == ("not measured", None)
    assert nobody.text == "not worked out: no level passed throughout"


@pytest.mark.parametrize(
    ("outcomes", "verdict", "bracket", "short"),
    [
        ([(10, PASS), (20, CONTENDED)], "bound", (10, None), "≥ 10 users"),
        ([(10, PASS), (20, PASS)], "bound", (20, None), "≥ 20 users"),
        ([(10, FAIL), (1, FAIL)], "none", (0, 1), "none"),
        ([(10, FAIL)], "inconclusive", (None, 10), "inconclusive"),
        ([(10, PASS), (20, FAIL), (20, PASS), (30, FAIL)], "measured", (10, 30), "10–30 users"),
        ([(10, INVALID), (10, PASS), (20, FAIL)], "measured", (10, 20), "10–20 users"),
    ],
)
def test_every_outcome_of_a_search_has_its_words(
    outcomes: Sequence[tuple[int, Verdict]], verdict: str, bracket: tuple[int | None, int | None], short: str
) -> None:
    cell = capacity_of(*outcomes)
    assert (cell.verdict, cell.bracket, cell.short) == (verdict, bracket, short)


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        (
            [(299, PASS), (374, PASS), (374, CONTENDED), (468, PASS), (468, CONTENDED), (585, CONTENDED)],
            "≥ 299 users; at 585 users the machine was the limit (",
        ),
        ([(10, PASS), (20, FAIL), (25, FAIL), (30, PASS)], "≥ 10 users; 20 users failed, 30 users above it passed ("),
        ([(10, PASS), (20, PASS), (20, FAIL)], "≥ 10 users; no level tried failed throughout ("),
    ],
)
def test_an_open_end_names_the_level_that_left_it_open(outcomes: Sequence[tuple[int, Verdict]], words: str) -> None:
    assert capacity_of(*outcomes).text.startswith(words)


def test_a_contended_failure_has_an_upper_end_from_the_cores_that_were_left_and_says_so() -> None:
    trials = [trial("streamlit", 694, PASS, target_cores=1.46), trial("streamlit", 868, CONTENDED, target_cores=1.6)]
    seen = evidence(*trials)
    cell = capacity_cell(seen, TERMS)
    assert (cell.verdict, cell.bracket, cell.short) == ("measured", (694, 1085), "694–≤1,085 users")
    assert (cell.worked_out, cell.as_json()["worked_out"]) == ((False, True), [False, True])
    assert cell.as_json()["between"] == pytest.approx([sqrt(694 * 868), sqrt(694 * 868) * 1085 / 868])
    every = {f"trials/{n}": to_json(one) for n, one in enumerate(trials)}
    assert second.between("capacity_users/streamlit", {}, every) == pytest.approx(cell.between)
    assert "; at 868 users the machine was the limit; the upper end is worked out" in cell.text
    assert "think time 3 s" in cell.text
    assert found_again(*trials) == ((694, 1085), [False, True])


def found_again(*trials: Trial) -> tuple[object, list[bool]]:
    """Return a capacity's bracket and its worked-out ends by verify's own arithmetic."""
    every = {f"trials/{n}": to_json(one) for n, one in enumerate(trials)}
    return second.capacity(list(every.values())), second.worked_out("capacity_users/streamlit", {}, every)


def test_a_level_that_failed_once_by_the_target_alone_is_an_observed_end() -> None:
    trials = [
        trial("streamlit", 445, PASS, target_cores=1.4),
        trial("streamlit", 566, CONTENDED, target_cores=1.6),
        trial("streamlit", 566, FAIL, repetition=1, target_cores=1.6),
    ]
    cell = capacity_cell(evidence(*trials), TERMS)
    assert (cell.bracket, cell.short, cell.worked_out) == ((445, 566), "445–566 users", (False, False))
    assert not {"worked_out", "between"} & set(cell.as_json())
    assert found_again(*trials) == ((445, 566), [False, False])


def test_the_cores_of_a_whole_trial_go_before_those_of_a_cut_one() -> None:
    cut = results_run._summary(868, [])
    trials = [
        trial("streamlit", 694, PASS, target_cores=1.46),
        replace(trial("streamlit", 868, CONTENDED, target_cores=1.5), summary=replace(cut, stopped_early=True)),
        replace(trial("streamlit", 868, CONTENDED, repetition=1, target_cores=1.6), summary=cut),
    ]
    assert evidence(*trials).capacity.upper == 1085
    assert found_again(*trials) == ((694, 1085), [False, True])


def test_an_invalid_cell_shows_no_number_but_its_reason() -> None:
    cell = capacity_of((10, INVALID), (10, INVALID))
    assert (cell.value, cell.bracket, cell.verdict) == (None, None, "invalid")
    assert cell.text == "invalid: CPU steal 9 % (limit 5 %) (1 more invalid)"


def test_what_nobody_measured_says_so() -> None:
    assert capacity_of().verdict == "not measured"
    assert slope_cell(evidence()).text == "not measured yet"


def bracketed(low: int | None, high: int | None, *, at_least: bool = False, status: str = "bracketed") -> Capacity:
    return Capacity(low=low, high=high, at_least=at_least, status=status)  # type: ignore[arg-type]  # a literal


RATIOS = [
    # modular, monolithic, bracket, verdict, words
    (bracketed(100, 120), bracketed(20, 25), (4.0, 6.0), "measured", "4–6 ×"),
    (bracketed(20, 30), bracketed(24, 28), (20 / 28, 1.25), "tie", "tie: 0.714–1.25 ×"),
    (bracketed(100, None, at_least=True), bracketed(20, 25), (4.0, None), "bound", "≥ 4 ×"),
    (bracketed(100, None, status="open"), bracketed(20, 25), (4.0, None), "bound", "≥ 4 ×"),
    (bracketed(100, 120), bracketed(20, None, at_least=True), (None, 6.0), "bound", "unbounded below"),
    (
        bracketed(100, None, at_least=True),
        bracketed(20, None, at_least=True),
        (None, None),
        "inconclusive",
        "unbounded",
    ),
    (bracketed(100, 120), bracketed(0, 1, status="none"), (100.0, None), "bound", "≥ 100 ×"),
    (bracketed(0, 1, status="none"), bracketed(20, 25), (0.0, 0.05), "measured", "0–0.05 ×"),
    (bracketed(None, 10, status="inconclusive"), bracketed(20, 25), (None, 0.5), "bound", "≤ 0.5 ×"),
]


@pytest.mark.parametrize(("a", "b", "bracket", "verdict", "words"), RATIOS)
def test_a_ratio_holds_for_whatever_lies_inside_both_brackets(
    a: Capacity, b: Capacity, bracket: tuple[float | None, float | None], verdict: str, words: str
) -> None:
    side = Cell(id="capacity_users/x", label="x", target="x", verdict="measured", text="")
    cell = capacity_ratio("x", side, side, a, b)
    assert capacity_bracket(a, b) == pytest.approx(bracket)
    assert cell.verdict == verdict
    assert cell.text.startswith(words)


@pytest.mark.parametrize(
    ("a", "b", "worked_out", "text"),
    [
        ((100, 120, False), (20, 25, True), (True, False), "≥4–6 ×"),
        ((100, 120, True), (20, 25, False), (False, True), "4–≤6 ×"),
        ((100, 120, True), (20, 25, True), (True, True), "≥4–≤6 ×"),
        ((20, 30, True), (24, 28, False), (False, True), "tie: 0.714–≤1.25 ×"),
        ((100, None, False), (20, 25, True), (True, False), "≥ 4 ×, worked out"),
        ((100, 120, True), (20, None, False), (False, True), "unbounded below: the monolithic capacity is itself"),
    ],
)
def test_an_end_of_a_ratio_that_rests_on_a_worked_out_one_is_marked(
    a: tuple[int, int | None, bool], b: tuple[int, int | None, bool], worked_out: tuple[bool, bool], text: str
) -> None:
    side = Cell(id="capacity_users/x", label="x", target="x", verdict="measured", text="")
    ends = [
        Capacity(low=low, high=None if soft else high, at_least=soft, status="bracketed", most=high if soft else None)
        for low, high, soft in (a, b)
    ]
    cell = capacity_ratio("x", side, side, *ends)
    assert cell.text.startswith(text)
    assert cell.worked_out == worked_out


def test_verify_finds_a_ratios_worked_out_ends_again() -> None:
    trials = [
        trial("django+angular", 445, PASS, target_cores=1.4),
        trial("django+angular", 566, CONTENDED, target_cores=1.6),
        trial("streamlit", 100, PASS, target_cores=0.9),
        trial("streamlit", 125, FAIL, target_cores=1.0),
    ]
    run = run_of(results_run.STREAMLIT, results_run.DJANGO)
    cell = table_of(run, *trials).cell("capacity_users/django+angular / streamlit")
    assert cell is not None
    every = {f"trials/{n}": to_json(one) for n, one in enumerate(trials)}
    assert second.worked_out(cell.id, to_json(run), every) == list(cell.worked_out) == [False, True]
    assert cell.short == "3.56–≤7.08 ×"
    middles = sqrt(445 * 566), sqrt(100 * 125)
    assert cell.between == pytest.approx((middles[0] / middles[1], middles[0] / middles[1] * 708 / 566))
    assert second.between(cell.id, to_json(run), every) == pytest.approx(cell.between)


def test_a_contended_denominator_leaves_the_ratio_unbounded_and_says_so() -> None:
    side = Cell(id="capacity_users/x", label="x", target="x", verdict="bound", text="")
    cell = capacity_ratio("x", side, side, bracketed(100, 120), bracketed(20, None, at_least=True))
    assert cell.text == "unbounded below: the monolithic capacity is itself only a lower bound; ≤ 6 ×"


def measured(
    value: float | None, bracket: tuple[float | None, float | None] | None = None, verdict: str = "measured"
) -> Cell:
    return Cell(id="m/x", label="m", target="x", value=value, unit="s", bracket=bracket, verdict=verdict, text="")  # type: ignore[arg-type]


def test_quotients_of_single_trials_are_points_and_of_several_brackets() -> None:
    point = quotient("m", "m", measured(0.05), measured(0.1))
    assert point is not None
    assert (point.value, point.bracket, point.text) == (0.5, None, "0.5 ×")
    several = quotient("m", "m", measured(0.05, (0.04, 0.06)), measured(0.1, (0.1, 0.2)))
    assert several is not None
    assert several.bracket == pytest.approx((0.2, 0.6))
    assert several.verdict == "measured"


def test_a_quotient_over_a_slope_that_may_be_zero_has_no_upper_end() -> None:
    cell = quotient("m", "m", measured(2.0, (1.0, 3.0)), measured(None, (None, 4.0), "bound"))
    assert cell is not None
    assert cell.bracket == (0.25, None)


def test_a_quotient_of_a_slope_that_cannot_lie_above_zero_ends_there_and_is_verified_so() -> None:
    cell = quotient("m", "m", measured(None, (None, 0.0), "bound"), measured(2.0, (1.0, 3.0)))
    assert cell is not None
    assert cell.bracket == (None, 0.0)


def test_a_quotient_of_something_unmeasured_is_left_out() -> None:
    assert quotient("m", "m", measured(None, None, "not measured"), measured(1.0)) is None


def test_a_figure_over_repetitions_is_their_median_with_their_range() -> None:
    trials = [trial("streamlit", 10, PASS, repetition=i, added_ttft_p95_s=v) for i, v in enumerate((0.02, 0.05, 0.03))]
    cell = common_cell(evidence(*trials), COMMON[1], TERMS)
    assert (cell.value, cell.bracket) == (0.03, (0.02, 0.05))
    assert cell.text == "30 ms (20–50 ms in 3 trials)"
    assert cell.label == "Added TTFT p95 at 10 users (SLO ≤ 500 ms)"


def test_a_figure_beyond_its_threshold_says_so() -> None:
    cell = common_cell(evidence(trial("streamlit", 10, FAIL, added_ttft_p95_s=0.7)), COMMON[1], TERMS)
    assert cell.text == "700 ms, over the SLO"


def test_a_percentile_that_touches_unfinished_turns_is_beyond_any_bound() -> None:
    cell = common_cell(evidence(trial("streamlit", 10, FAIL, added_ttft_p95_s=None, incomplete=4.0)), COMMON[1], TERMS)
    assert cell.value is None
    assert cell.text == "beyond any bound: 4 turns failed or never ended"


def idle_trial(*bytes_by_step: float, **figures: float) -> Trial:
    """Memory at 0, 50, 100 … open sessions."""
    read = {f"memory_bytes_{50 * n}": value for n, value in enumerate(bytes_by_step)}
    return trial("streamlit", 150, PASS, scenario="idle", **read, **figures)


def test_memory_per_session_is_a_bound_where_its_interval_includes_zero() -> None:
    cell = slope_cell(evidence(idle_trial(0.0, 50 * 4096.0, 0.0, 50 * 4096.0)))
    # changes of 4, -4 and 4 KiB a session: mean 4/3, deviation 4.6188, t(0.975, 2) = 4.30265
    high = 1024 * (4 / 3 + 4.30265 * 4.6188 / 3**0.5)
    assert (cell.value, cell.verdict) == (None, "bound")
    assert cell.bracket is not None
    assert cell.bracket[0] is None
    assert cell.bracket[1] == pytest.approx(high, rel=1e-4)
    assert cell.text == "< 12.8 KiB/session; the interval includes 0"
    steep = slope_cell(evidence(idle_trial(0.0, 50 * 1.0e6, 50 * 2.1e6, 50 * 3.0e6)))
    assert steep.value == pytest.approx(1e6)
    assert steep.bracket == pytest.approx((1e6 * (1 - 0.24841), 1e6 * (1 + 0.24841)), rel=1e-4)


def test_memory_per_session_is_one_mean_over_the_steps_of_all_starts() -> None:
    starts = (idle_trial(0.0, 50.0, 150.0), idle_trial(1e6, 1e6 + 150.0, 1e6 + 350.0))
    cell = slope_cell(evidence(*starts))
    # changes of 1, 2, 3 and 4 bytes a session: mean 2.5, deviation 1.29099, t(0.975, 3) = 3.18245
    half = 3.18245 * 1.29099 / 2
    assert (cell.value, cell.bracket) == (2.5, pytest.approx((2.5 - half, 2.5 + half), rel=1e-4))


def at_edge(target_cores: float, busiest: float, *, repetition: int = 0) -> Trial:
    """A trial of 200 users at 50 turns a second."""
    return trial(
        "streamlit",
        200,
        PASS,
        repetition=repetition,
        target_cores=target_cores,
        busiest_process_cores=busiest,
        target_cpu_s_per_turn=target_cores / 50,
    )


def test_cost_is_read_at_the_highest_level_that_passed_and_idle_cpu_is_no_part_of_it() -> None:
    shown = evidence(trial("streamlit", 10, PASS, target_cores=0.06), at_edge(1.25, 1.0), idle_trial(idle_cores=0.05))
    users, cpu = cost.cells(shown)
    assert (users.value, users.text) == (160.0, "160 users/core; 1.25 cores at 200 users")
    assert (cpu.value, cpu.text) == (pytest.approx(0.024), "24 ms/turn")
    assert cpu.rests_on == ("trials/1", "trials/2")


def test_cost_over_repetitions_is_their_median_with_their_range() -> None:
    users, cpu = cost.cells(evidence(at_edge(1.0, 1.0), at_edge(1.25, 1.0, repetition=1), idle_trial(idle_cores=0.0)))
    assert (users.value, users.bracket) == (180.0, (160.0, 200.0))
    assert cpu.bracket == pytest.approx((0.02, 0.025))


def test_a_turn_whose_cpu_time_is_mostly_idle_cpu_has_an_upper_bound_only() -> None:
    _, cpu = cost.cells(evidence(at_edge(0.06, 0.06), idle_trial(idle_cores=0.04)))
    assert (cpu.value, cpu.bracket, cpu.verdict) == (None, (None, 0.06 / 50), "bound")
    assert cpu.text.startswith("< 1.2 ms/turn: ")


def test_without_an_idle_trial_no_cpu_time_per_turn_is_printed() -> None:
    users, cpu = cost.cells(evidence(at_edge(1.0, 1.0)))
    assert users.value == 200
    assert (cpu.value, cpu.text) == (None, "not measured: idle CPU is not known")


SERVERS = [
    # cores, busiest process, idle cores, users of a server
    (1.6, 0.3, 0.0, 175.0),  # 1.4 of 2 cores
    (1.0, 0.9, 0.0, 200 * 0.7 / 0.9),  # 0.7 of the one core that a process has
    (1.55, 0.3, 0.05, 180.0),  # idle CPU stays as it is
]


@pytest.mark.parametrize(("cores", "busiest", "idle", "users"), SERVERS)
def test_a_server_is_loaded_to_a_share_of_its_busiest_resource(
    cores: float, busiest: float, idle: float, users: float
) -> None:
    assert servers.users_a_server(evidence(at_edge(cores, busiest), idle_trial(idle_cores=idle))) == pytest.approx(
        users
    )


@pytest.mark.parametrize(
    "above", [[], [trial("streamlit", 220, FAIL)], [trial("streamlit", 220, CONTENDED, target_cores=1.1)]]
)
def test_a_server_is_never_given_more_users_than_met_the_slo(above: list[Trial]) -> None:
    trials = [at_edge(1.0, 0.3), *above, idle_trial(idle_cores=0.0)]
    assert servers.users_a_server(evidence(*trials)) == 200
    every = {f"trials/{n}": to_json(one) for n, one in enumerate(trials)}
    assert second.expected("servers_1000_users/streamlit", {}, every) == (5, None)


def test_without_an_idle_trial_no_server_is_counted() -> None:
    trials = [at_edge(1.0, 0.3), trial("streamlit", 220, FAIL)]
    cell = servers.cell(evidence(*trials))
    assert (cell.verdict, cell.value, cell.text) == ("not measured", None, "not measured: idle CPU is not known")
    every = {f"trials/{n}": to_json(one) for n, one in enumerate(trials)}
    assert second.expected("servers_1000_users/streamlit", {}, every) == (None, None)


def test_memory_in_total_has_a_cell_per_step_in_ascending_order() -> None:
    idle = trial("streamlit", 100, PASS, scenario="idle", memory_bytes_100=3e8, memory_bytes_0=1e8, memory_bytes_50=2e8)
    assert [c.id for c in memory_cells(evidence(idle))] == [f"memory_bytes_{n}/streamlit" for n in (0, 50, 100)]


def test_rows_are_the_articles_in_its_order_and_what_was_not_tried_holds_no_number() -> None:
    table = table_of(run_of(results_run.STREAMLIT, results_run.DJANGO), trial("streamlit", 10, PASS))
    assert [row.name for row in table.rows] == ["Flexibility", "Scalability", "Integration", "Security", "Maintenance"]
    for row in table.rows:
        if row.name == "Maintenance":
            assert [(line.label, line.monolithic and line.monolithic.text) for line in row.lines] == [
                ("Parts that swap", "one part: nothing to swap")
            ]
        elif row.name != "Scalability":
            assert [line.label for line in row.lines] == [""]
            assert all(cell.text.startswith("not measured") and cell.value is None for cell in row.cells)


def test_the_articles_own_pair_fills_the_columns_and_all_others_a_second_table() -> None:
    variant = results_run.Measured(name="streamlit:2", title="Streamlit (2)", kind="monolith", capacity=1, levels=())
    other = results_run.Measured(name="fastapi+react", title="FastAPI + React", kind="modular", capacity=1, levels=())
    run = run_of(variant, other, results_run.STREAMLIT, results_run.DJANGO)
    assert columns(run) == ("django+angular", "streamlit")
    assert [f.target for f in table_of(run).further] == ["streamlit:2", "fastapi+react"]
    assert columns(run_of(variant, other)) == ("fastapi+react", "streamlit:2")


def test_a_hybrid_fills_neither_of_the_articles_columns_and_is_named_as_one() -> None:
    hybrid = results_run.Measured(name="django+streamlit", title="D + S", kind="hybrid", capacity=1, levels=())
    assert columns(run_of(hybrid, results_run.STREAMLIT, results_run.DJANGO)) == ("django+angular", "streamlit")
    alone = run_of(hybrid)
    assert columns(alone) == (None, None)
    assert [(f.target, f.kind) for f in table_of(alone).further] == [("django+streamlit", "hybrid")]
    assert _instances(alone.targets["django+streamlit"]).startswith("hybrid, ")
