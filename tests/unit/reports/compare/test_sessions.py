"""Several runs as one result: what may be pooled, what is printed, and that every number is found again."""

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from math import exp, log, sqrt
from pathlib import Path
from statistics import fmean, geometric_mean, stdev
from typing import Any

import pytest

from docs.generate import sessions as documented
from harness import cli, results
from harness.analysis.sessions import Reading
from harness.errors import EXIT_DONE, EXIT_INVALID, EXIT_USAGE, UsageError
from harness.records import GateTerms
from reports.cells.cell import Cell
from reports.compare import pooled_cell, sessions, sessions_pages, witnesses
from reports.numbers import significant
from reports.verify import counted, verify
from reports.verify.run import from_samples
from reports.verify.sessions import _numbers
from tests.doubles import results_run

STREAMLIT, DJANGO = results_run.SMALL
TOTALS = ("value", "between", "interval", "next_session", "at_least", "sessions")  # of a cell over sessions
HOURS = (  # capacities as brackets of levels, and the machine's speed
    ((10, 14), (20, 30), 1.0),
    ((12, 16), (24, 32), 1.1),
    ((11, 13), (18, 26), 0.9),
)


def hour(place: Path, number: int, *, contended: bool = False, **changes: Any) -> Path:
    """Write one session's run; ``contended``: Streamlit failed on a full machine."""
    few, many, speed = HOURS[number % len(HOURS)]
    systems = [
        replace(system, capacity=round(sqrt(low * high)), levels=((10, 0), (low, 1), (high, 0)), speed=speed)
        for system, (low, high) in ((STREAMLIT, few), (DJANGO, many))
    ]
    systems[0] = replace(systems[0], spare_cpus=not contended)
    run_id = f"2026112{number}-083000-quick"
    made = {"run_id": run_id, "created_at": f"2026-11-2{number}T08:30:00Z"} | changes
    return results_run.write_run(place / run_id, systems, **made)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("results")
    return [hour(place, number) for number in range(3)]


@pytest.fixture(scope="module")
def pooled(runs: list[Path]) -> sessions.PooledReport:
    return sessions.pool(list(reversed(runs)))


def value(pooled: sessions.PooledReport, cell_id: str) -> pooled_cell.PooledCell:
    cell = pooled.cell(cell_id)
    assert cell is not None
    return cell


def test_sessions_stand_in_the_order_of_their_time(pooled: sessions.PooledReport) -> None:
    assert [one.run_id for one in pooled.sessions] == [f"2026112{n}-083000-quick" for n in range(3)]


def test_capacities_and_their_ratio_are_geometric_means_of_the_middles(pooled: sessions.PooledReport) -> None:
    few, many = ([sqrt(one[place][0] * one[place][1]) for one in HOURS] for place in (0, 1))
    cells = [value(pooled, f"capacity_users/{name}") for name in (STREAMLIT.name, DJANGO.name)]
    ratio = value(pooled, f"capacity_users/{DJANGO.name} / {STREAMLIT.name}")
    wanted = (few, many, [b / a for a, b in zip(few, many, strict=True)])
    for cell, numbers in zip((*cells, ratio), wanted, strict=True):
        assert cell.pooled is not None
        assert cell.pooled.value == pytest.approx(geometric_mean(numbers))
        assert cell.pooled.sessions == 3
        logs = [log(number) for number in numbers]
        half = 4.302653 * stdev(logs) / sqrt(3)  # t(0.975, 2), any t table
        assert cell.pooled.interval == pytest.approx((exp(fmean(logs) - half), exp(fmean(logs) + half)), rel=1e-6)


def test_the_ratio_leads(pooled: sessions.PooledReport) -> None:
    assert pooled.headline.startswith("Modular ÷ monolithic: ")
    assert pooled.cells[0].target == f"{DJANGO.name} / {STREAMLIT.name}"
    assert "next session" in pooled.headline
    assert "3 sessions" in pooled.headline


def test_costs_are_pooled_too_and_audits_are_not(pooled: sessions.PooledReport) -> None:
    measures = {cell.measure for cell in pooled.cells}
    assert {"cpu_s_per_turn_at_capacity", "users_per_core_at_capacity", "cold_start_s", "memory_bytes_100"} <= measures
    assert not {m for m in measures if m.startswith(("security", "integration", "maintenance"))}


def test_few_sessions_print_the_speed_alone_and_settle_nothing(pooled: sessions.PooledReport) -> None:
    assert all("not settled: 3 sessions have it, 5 are needed" in words for words in pooled.speed_words)
    assert len(pooled.speed_words) == 2
    assert not [cell for cell in pooled.cells if cell.measure == pooled_cell.AT_REFERENCE]
    speeds = [row[2] for row in sessions_pages.session_rows(pooled)[1:]]
    assert [text.split(" ")[0] for text in speeds] == ["1", "1.1", "0.9"]


def test_each_sessions_own_bracket_stands_beside(pooled: sessions.PooledReport) -> None:
    rows = sessions_pages.session_rows(pooled)
    place = rows[0].index(STREAMLIT.name)
    assert [row[place] for row in rows[1:]] == ["10–14 users", "12–16 users", "11–13 users"]


def test_every_form_says_the_same(pooled: sessions.PooledReport, tmp_path: Path) -> None:
    sessions_pages.write(pooled, tmp_path, ("md", "csv", "html"))
    text, page = (tmp_path / "pooled.md").read_text(), (tmp_path / "pooled.html").read_text()
    lines = list(csv.DictReader((tmp_path / "pooled.csv").read_text().splitlines()))
    data = json.loads((tmp_path / results.POOLED_FILE).read_text())
    assert [line["id"] for line in lines] == [cell["id"] for cell in data["cells"]] == [c.id for c in pooled.cells]
    for cell in pooled.cells:
        assert cell.short in text
        assert cell.following in page
    assert "<script" not in page


def test_the_command_pools_runs_and_verify_finds_every_number_again(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "pooled"
    assert cli.main(["report", *map(str, runs), "--output", str(into)]) == EXIT_DONE
    assert "Modular ÷ monolithic" in capsys.readouterr().out
    assert cli.main(["verify", str(into)]) == EXIT_DONE
    assert [str(one) for one in verify(into)] == []


def test_a_pooled_result_lies_beside_its_runs_by_default(runs: list[Path]) -> None:
    assert cli.main(["report", *(run.name for run in runs), "--results", str(runs[0].parent), "--format", "md"]) == 0
    (folder,) = runs[0].parent.glob("pooled-quick-*")
    assert {path.name for path in folder.iterdir()} == {"pooled.json", "pooled.md"}
    data = json.loads((folder / results.POOLED_FILE).read_text())
    assert [one["folder"] for one in data["runs"]] == [f"../{run.name}" for run in runs]
    shutil.rmtree(folder)


def test_the_documentation_takes_a_pooled_result(pooled: sessions.PooledReport, tmp_path: Path) -> None:
    sessions_pages.write(pooled, tmp_path, ())
    text = documented.table(tmp_path)
    ratio = pooled.cells[0]
    row = f"| {ratio.label} | `{ratio.target}` | **{ratio.short}** | {ratio.interval} | {ratio.following} | 3 |"
    assert row in text
    assert "Runs `20261120-083000-quick`, " in text
    found = documented.figures(tmp_path)[ratio.id]
    assert (found.value, found.interval, found.counted) == (ratio.short, ratio.interval, "3")
    assert (documented.table(tmp_path / "absent"), documented.held(tmp_path)) == ("", "")


def test_the_documentation_holds_the_next_session_against_its_range(
    pooled: sessions.PooledReport, tmp_path: Path
) -> None:
    sessions_pages.write(pooled, tmp_path, ())
    inside, outside = pooled.cells[0], pooled.cells[1]
    assert inside.pooled
    assert inside.pooled.following
    value = sqrt(inside.pooled.following[0] * inside.pooled.following[1])
    cells = [
        {"id": inside.id, "value": None, "bracket": [value / 2, value * 2]},
        {"id": outside.id, "value": None, "bracket": [1, 1.1]},
    ]
    results.write_json(tmp_path / "next.json", {"run_id": "later", "rows": [{"cells": cells}]})
    text = documented.held(tmp_path)
    assert f"| {inside.label} | `{inside.target}` | {inside.following} | {significant(value)} × | yes |" in text
    assert f"| {outside.label} | `{outside.target}` | {outside.following} | 1 users | no |" in text
    assert text.endswith("Run `later`.\n")
    cells[0] |= {"between": [value, 1e9]}
    results.write_json(tmp_path / "next.json", {"run_id": "later", "rows": [{"cells": cells}]})
    assert " × | partly |" in documented.held(tmp_path)


def change(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    edit(data)
    results.write_json(path, data)


@pytest.mark.parametrize(
    ("edit", "figure"),
    [
        (lambda d: d["cells"][0].update(value=99.0), f"capacity_users/{DJANGO.name} / {STREAMLIT.name}"),
        (lambda d: d["cells"][1]["interval"].reverse(), f"capacity_users/{DJANGO.name}"),
        (lambda d: d["cells"][1]["next_session"].reverse(), f"capacity_users/{DJANGO.name}"),
        (lambda d: d["cells"][1]["readings"][0].update(value=7.0), f"capacity_users/{DJANGO.name}"),
        (lambda d: d["cells"][1]["readings"][0].update(between=[7.0, 8.0]), f"capacity_users/{DJANGO.name}"),
        (lambda d: d["cells"][1].update(between=[7.0, 8.0]), f"capacity_users/{DJANGO.name}"),
        (lambda d: d["runs"][1]["speed"].update(median=3.0), "20261121-083000-quick: machine speed"),
        (lambda d: d["runs"][1].update(sha256="0"), "20261121-083000-quick"),
        (lambda d: d["witnesses"][0]["factors"].reverse(), f"{witnesses.FIXED_WORK}/{DJANGO.name}"),
        (lambda d: d["witnesses"][1].update(spread_left=0.0), f"{witnesses.CO_RUNNERS}/{DJANGO.name}"),
        (lambda d: d.update(speed=["all is explained"]), "speed"),
    ],
)
def test_a_changed_number_is_named(
    pooled: sessions.PooledReport, tmp_path: Path, edit: Callable[[dict[str, Any]], None], figure: str
) -> None:
    sessions_pages.write(pooled, tmp_path, ())
    change(tmp_path / results.POOLED_FILE, edit)
    found = verify(tmp_path)
    assert figure in {one.figure.partition("[")[0] for one in found}, found


def drop(data: dict[str, Any], place: int) -> None:
    """Leave one session out of every cell, whose figures then follow from the others."""
    for cell in data["cells"]:
        cell["readings"][place] |= {"value": None, "between": None, "at_least": False}
        readings = tuple(None if one["value"] is None else Reading(value=one["value"]) for one in cell["readings"])
        again = pooled_cell.pooled_cell(cell["id"], "", cell["target"], cell["unit"], readings, ("",) * len(readings))
        printed = again.as_json()
        cell |= {name: printed[name] for name in TOTALS}


@pytest.fixture(scope="module")
def differing(
    runs: list[Path], pooled: sessions.PooledReport
) -> Callable[[Callable[[Any], None]], set[tuple[str, str]]]:
    """Return what the second arithmetic says of the pooled result after an edit."""
    proven = [
        (run, from_samples(folder, run)[1])
        for folder in runs
        for run in [json.loads((folder / results.RUN_FILE).read_text())]
    ]

    def edited(edit: Callable[[Any], None]) -> set[tuple[str, str]]:
        data = json.loads(json.dumps(pooled.as_json(runs[0].parent)))
        edit(data)
        return set(_numbers(data, proven))

    return edited


def test_a_session_that_was_dropped_wrongly_is_found(pooled: sessions.PooledReport, differing: Any) -> None:
    found = differing(lambda data: drop(data, 1))
    for cell in pooled.cells:
        said = [text for figure, text in found if figure == cell.id]
        assert any(text.startswith("of 20261121-083000-quick: printed None, the samples give ") for text in said)
        assert "sessions: printed 2, the samples give 3" in said or not cell.pooled


def test_a_session_that_counts_wrongly_is_found(differing: Any) -> None:
    cell_id = f"memory_slope_bytes_per_session/{DJANGO.name}"  # no session has more than a bound of it
    readings = [{"value": 5.0, "between": None, "at_least": False}] * 3
    one = {"id": cell_id, "target": DJANGO.name, "readings": readings}
    counts = dict.fromkeys(TOTALS) | {"value": 5.0, "sessions": 3, "at_least": False}
    found = differing(lambda data: data["cells"].append(one | counts))
    assert (cell_id, "stands there, no session has it") in found
    assert (cell_id, "of 20261121-083000-quick: printed 5.0, the samples give None") in found


def test_a_cell_and_a_witness_that_are_missing_are_found(pooled: sessions.PooledReport, differing: Any) -> None:
    assert differing(lambda data: None) == set()
    found = differing(lambda data: data.update(cells=[], witnesses=[]))
    assert found == {
        *((cell.id, "is absent, 3 sessions have it") for cell in pooled.cells),
        *((f"{one.name}/{one.target}", "is absent, 3 sessions have it") for one in pooled.witnesses),
    }


def given_up(*tried: tuple[int, str]) -> dict[str, Any]:
    keys = [
        {"target": "a", "scenario": "chat", "level": n, "number": k, "parameter": None}
        for k, (n, _) in enumerate(tried)
    ]
    return {
        str(key["number"]): {
            "key": key,
            "verdict": {"outcome": said, "contended": False},
            "figures": {},
            "summary": None,
        }
        for key, (_, said) in zip(keys, tried, strict=True)
    }


@pytest.mark.parametrize(
    ("tried", "value"),
    [
        (((10, "pass"), (40, "fail")), (20, 20, False)),
        (((10, "pass"),), (10, 10, True)),
        (((10, "pass"), (20, "invalid"), (20, "invalid")), None),
        (((10, "pass"), (40, "fail"), (20, "invalid"), (20, "invalid")), (20, 20, False)),
        (((10, "fail"),), None),
        (((1, "fail"),), None),
        (((10, "invalid"),), None),
    ],
)
def test_verify_says_by_itself_which_capacity_counts(tried: Any, value: Any) -> None:
    assert counted.reading("capacity_users/a", {"profile": {}}, given_up(*tried)) == value


def test_a_changed_sample_of_a_run_is_named(runs: list[Path], tmp_path: Path) -> None:
    copied = [shutil.copytree(run, tmp_path / run.name) for run in runs]
    into = tmp_path / "pooled"
    sessions_pages.write(sessions.pool(copied), into, ("md",))
    (into / "pooled.md").write_text((into / "pooled.md").read_text().replace("×", "times", 1))
    assert [one.place for one in verify(into)] == ["pooled.md"]
    path = next(copied[0].glob("trials/streamlit/chat/*/trial.json"))
    change(path, lambda data: data["figures"].update(target_cpu_s_per_turn=1.0))
    assert {one.figure for one in verify(into)} >= {"20261120-083000-quick", "target_cpu_s_per_turn"}


def test_users_at_reference_speed_are_printed_where_it_is_shown_to_bring_sessions_together(tmp_path: Path) -> None:
    speeds = (0.7, 0.85, 1.0, 1.2, 1.4)
    runs = []
    for number, speed in enumerate(speeds):
        systems = [
            replace(one, capacity=round(users * speed), levels=((10, 0), (low, 1), (high, 0)), speed=speed)
            for one, users in ((STREAMLIT, 20), (DJANGO, 30))
            for low, high in [(round(users * speed * 0.9), round(users * speed * 1.12))]
        ]
        run_id = f"2026112{number}-083000-quick"
        made = {"run_id": run_id, "created_at": f"2026-11-2{number}T08:30:00Z"}
        runs.append(results_run.write_run(tmp_path / run_id, systems, **made))
    found = sessions.pool(runs)
    assert found.explained[witnesses.FIXED_WORK] is True
    at_reference = value(found, f"{pooled_cell.AT_REFERENCE}/{DJANGO.name}")
    raw = value(found, f"capacity_users/{DJANGO.name}")
    assert at_reference.pooled
    assert raw.pooled
    assert at_reference.pooled.interval
    assert raw.pooled.interval
    widths = [log(one.interval[1] / one.interval[0]) for one in (at_reference.pooled, raw.pooled) if one.interval]
    assert widths[0] < widths[1] / 2
    assert any("The fixed work explains" in words for words in found.speed_words)
    sessions_pages.write(found, tmp_path / "pooled", ("md",))
    assert verify(tmp_path / "pooled") == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"machine": {**results_run.MACHINE, "cpu_model": "Other"}}, "machine: cpu_model is 'Other', in "),
        ({"profile": replace(results_run.PROFILE, name="article")}, "profile: name is 'article', in "),
        ({"tool_version": "9.9"}, "chatbench is '9.9', in "),
        ({"runtime": "docker"}, "runtime is 'docker', in "),
        ({"workers": 2}, "generator processes is 2, in "),
        ({"targets": {}}, "targets is '', in "),
        ({"gate": GateTerms(base="a", head="b", margin=0.05, pairs=5)}, "is a gate's"),
        ({"run_id": "20261120-083000-quick"}, "is named 2 times"),
    ],
)
def test_other_conditions_are_refused_and_named(
    runs: list[Path], tmp_path: Path, change: dict[str, Any], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = hour(tmp_path, 5, **change)
    with pytest.raises(UsageError) as refused:
        sessions.pool([*runs, other])
    assert named in refused.value.message
    assert results.read_run(other).run_id in refused.value.message
    assert cli.main(["report", *map(str, (*runs, other))]) == EXIT_USAGE
    assert named in capsys.readouterr().err


def test_a_profile_described_in_other_words_is_the_same_profile(runs: list[Path], tmp_path: Path) -> None:
    other = hour(tmp_path, 5, profile=replace(results_run.PROFILE, purpose="in other words"))
    assert len(sessions.pool([*runs, other]).sessions) == len(runs) + 1


def test_another_version_of_a_part_is_named(runs: list[Path], tmp_path: Path) -> None:
    targets = dict(results.read_run(runs[0]).targets)
    part = targets[STREAMLIT.name].parts[0] | {"version": "1.99"}
    other = hour(tmp_path, 5, targets=targets | {STREAMLIT.name: replace(targets[STREAMLIT.name], parts=(part,))})
    with pytest.raises(UsageError, match=r"target streamlit: versions is 'streamlit 1[.]99'"):
        sessions.pool([*runs, other])


@pytest.mark.parametrize(("known", "apart"), [(("a" * 64, "b" * 64), True), (("a" * 64, ""), False)])
def test_a_target_of_other_files_under_the_same_name_is_named(
    tmp_path: Path, known: tuple[str, str], apart: bool
) -> None:
    """A run that recorded no files may hold the same."""
    runs = [hour(tmp_path, n) for n in (5, 6)]
    for folder, sources in zip(runs, known, strict=True):
        run = results.read_run(folder)
        info = run.targets[STREAMLIT.name]
        part = info.parts[0] | ({"sources": sources} if sources else {})
        targets = dict(run.targets) | {STREAMLIT.name: replace(info, parts=(part,))}
        results.write_run(folder, replace(run, targets=targets))
    if not apart:
        assert len(sessions.pool(runs).sessions) == 2
        return
    with pytest.raises(UsageError, match=f"target streamlit: files is 'streamlit {'b' * 12}', in "):
        sessions.pool(runs)


def test_the_clock_of_a_moment_keeps_no_runs_apart(runs: list[Path], tmp_path: Path) -> None:
    others = [hour(tmp_path, n, machine={**results_run.MACHINE, "clock_mhz": 2000 + n}) for n in (5, 6)]
    assert "clock" not in dict(sessions.pool(others).conditions)["Machine"]


def test_an_output_folder_is_for_several_runs(runs: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(runs[0]), "--output", "elsewhere"]) == EXIT_USAGE
    assert "--output is for several runs" in capsys.readouterr().err


def cell(measure: str = "capacity_users", **changes: Any) -> Cell:
    return Cell(**({"id": f"{measure}/a", "label": "", "target": "a", "verdict": "measured", "text": ""} | changes))


@pytest.mark.parametrize(
    ("shown", "counts"),
    [
        (cell(value=4, bracket=(4, 9)), Reading(value=6)),
        (cell(value=4, bracket=(4, None), verdict="bound"), Reading(value=4, at_least=True)),
        (cell(value=4, bracket=(4, 12), worked_out=(False, True), between=(6, 8)), Reading(value=6, most=8)),
        (cell(value=0, bracket=(0, 1), verdict="none"), None),
        (cell(value=4, bracket=(4, 9), verdict="inconclusive"), None),
        (cell(verdict="invalid"), None),
        (cell("think_15_users", value=4, bracket=(4, 9)), Reading(value=6)),
        (cell("capacity_estimate_users", value=5.5, bracket=(4, 9)), Reading(value=5.5)),
        (cell("capacity_estimate_users", bracket=(4, 9), between=(5, 7)), Reading(value=5, most=7)),
        (cell("capacity_estimate_users", bracket=(4, None), verdict="bound"), Reading(value=4, at_least=True)),
        (cell("cold_start_s", value=2.5, bracket=(2, 3)), Reading(value=2.5)),
        (cell("memory_slope_bytes_per_session", bracket=(None, 9), verdict="bound"), None),
        (None, None),
    ],
)
def test_what_a_session_counts_by(shown: Cell | None, counts: Reading | None) -> None:
    assert pooled_cell.reading(shown) == counts


def test_a_session_that_is_a_lower_bound_makes_the_result_one() -> None:
    made = pooled_cell.pooled_cell(
        "capacity_users/a", "Capacity", "a", "users", (Reading(value=400), Reading(value=100, at_least=True), None), ()
    )
    assert (made.short, made.interval, made.following) == ("≥ 200 users", "–", "–")
    assert made.counted == "2 of 3, 1 as lower bounds"


def test_sessions_with_a_worked_out_end_are_counted_everywhere(tmp_path: Path) -> None:
    cells = (Reading(value=100, most=125), Reading(value=110, most=130), Reading(value=120))
    made = pooled_cell.pooled_cell("capacity_users/a", "Capacity", "a", "users", cells, ("", "", ""))
    assert made.counted == "3, 2 with a worked-out end"
    assert made.text.endswith("; 3 sessions, 2 with a worked-out end)")
    data = made.as_json()
    assert [one["between"] for one in data["readings"]] == [[100, 125], [110, 130], None]
    assert [one["value"] for one in data["readings"]] == [None, None, 120]
    least, most = geometric_mean([100, 110, 120]), geometric_mean([125, 130, 120])
    assert (data["value"], data["between"]) == (None, pytest.approx([least, most]))
    assert made.short == f"{least:.0f}–{most:.0f} users"
    results.write_json(tmp_path / "pooled.json", {"cells": [data], "runs": [], "speed": []})
    found = documented.figures(tmp_path)[made.id]
    assert (found.value, found.interval, found.following) == (made.short, made.interval, made.following)
    assert "3, 2 with a worked-out end |" in documented.table(tmp_path)


def test_worked_out_ends_leave_two_means_that_verify_finds_again(tmp_path: Path) -> None:
    found = sessions.pool([hour(tmp_path, number, contended=True) for number in range(3)])
    few, many = (value(found, f"capacity_users/{name}") for name in (STREAMLIT.name, DJANGO.name))
    ratio = value(found, f"capacity_users/{DJANGO.name} / {STREAMLIT.name}")
    assert few.counted == ratio.counted == "3, 3 with a worked-out end"
    assert few.pooled
    assert many.pooled
    assert many.pooled.value
    assert ratio.pooled
    assert few.pooled.least == pytest.approx(geometric_mean([sqrt(low * high) for (low, high), _, _ in HOURS]))
    assert few.pooled.least < few.pooled.most
    ends = many.pooled.value / few.pooled.most, many.pooled.value / few.pooled.least
    assert ratio.pooled.between == pytest.approx(ends)
    sessions_pages.write(found, tmp_path / "pooled", ("md", "csv", "html"))
    assert [str(one) for one in verify(tmp_path / "pooled")] == []
    change(tmp_path / "pooled" / results.POOLED_FILE, lambda d: d["cells"][0]["readings"][1]["between"].reverse())
    assert ratio.id in {one.figure for one in verify(tmp_path / "pooled")}


def slower(path: Path, times: float) -> None:
    """Let the fixed work around a trial take so many times as long."""

    def edit(data: dict[str, Any]) -> None:
        for when in ("before", "after"):
            seconds = data["speed"][when]["seconds"]
            data["speed"][when]["seconds"] = {kind: times * taken_s for kind, taken_s in seconds.items()}
        data["figures"]["machine_speed"] /= times

    change(path, edit)


def test_the_speed_that_counts_is_that_of_the_trials_a_capacity_rests_on(tmp_path: Path) -> None:
    runs = [hour(tmp_path, number) for number in range(3)]
    for path in tmp_path.glob(f"*/trials/{results.slug(DJANGO.name)}/chat/*-10-0/trial.json"):
        slower(path, 1.2)
    found = sessions.pool(runs)
    one = next(w for w in found.witnesses if (w.name, w.target) == (witnesses.FIXED_WORK, DJANGO.name))
    assert one.factors == pytest.approx([1 / speed for _, _, speed in HOURS])
    assert found.sessions[0].speed
    assert found.sessions[0].speed.low < 0.9 < found.sessions[0].speed.median
    sessions_pages.write(found, tmp_path / "pooled", ())
    assert [str(difference) for difference in verify(tmp_path / "pooled")] == []


def test_repetitions_tell_how_cpu_time_per_turn_goes_with_the_speed(tmp_path: Path) -> None:
    runs = []
    for number in range(2):
        systems = [
            replace(one, levels=((10, 0), (10, 1), (10, 2), *one.levels[1:]), speed=1.0) for one in (STREAMLIT, DJANGO)
        ]
        run_id = f"2026112{number}-083000-quick"
        made = {"run_id": run_id, "created_at": f"2026-11-2{number}T08:30:00Z"}
        runs.append(results_run.write_run(tmp_path / run_id, systems, **made))
        for n, path in enumerate(sorted(runs[-1].glob("trials/*/chat/*-10-*/trial.json"))):
            slower(path, 1 + 0.1 * (n % 3))
    found = sessions.pool(runs)
    assert {target: one.trials for target, one in found.powers.items()} == {STREAMLIT.name: 6, DJANGO.name: 6}
    opening = f"CPU time per turn of {DJANGO.name} goes as speed to the power "
    assert [words for words in found.speed_words if words.startswith(opening)]
    sessions_pages.write(found, tmp_path / "pooled", ("md",))
    assert [str(one) for one in verify(tmp_path / "pooled")] == []
    change(
        tmp_path / "pooled" / results.POOLED_FILE, lambda d: d["cpu_per_turn_by_speed"][DJANGO.name].update(low=-9.0)
    )
    assert f"{DJANGO.name}: CPU time per turn by speed" in {one.figure for one in verify(tmp_path / "pooled")}


def test_the_terminal_shows_what_a_turn_costs(pooled: sessions.PooledReport) -> None:
    shown = {cell.measure for cell in pooled.cells} & set(sessions_pages.BRIEF)
    assert {"users_per_core_at_capacity", "cpu_s_per_turn_at_capacity"} <= shown


def test_values_that_are_not_all_positive_are_shown_by_their_range(pooled: sessions.PooledReport) -> None:
    some = (Reading(value=0.0), Reading(value=0.01))
    made = pooled_cell.pooled_cell("idle_cores/a", "Idle CPU (cores)", "a", "cores", some, ("0", "0.01"))
    assert (made.interval, made.following) == ("–", "–")
    assert made.text.endswith("(range over 2 sessions: not all are positive)")


def test_shares_are_shown_by_their_range_since_an_interval_would_pass_100_percent(
    pooled: sessions.PooledReport,
) -> None:
    cell = value(pooled, f"failure_ratio/{STREAMLIT.name}")
    assert cell.pooled is None
    assert cell.text == "0 % (range over 3 sessions: a share of a whole)"
    some = (Reading(value=0.75), Reading(value=1.0))
    made = pooled_cell.pooled_cell("blocks_met_ratio/a", "Blocks", "a", "ratio", some, ("75 %", "100 %"))
    assert (made.short, made.interval, made.following) == ("75–100 %", "–", "–")


def test_runs_without_a_speed_say_so(tmp_path: Path) -> None:
    plain = [replace(one, levels=one.levels[:2]) for one in results_run.SMALL]
    runs = [
        results_run.write_run(tmp_path / name, plain, run_id=name, created_at=f"2026-11-2{n}T00:00:00Z")
        for n, name in enumerate(("one", "two"))
    ]
    found = sessions.pool(runs)
    assert {one.name for one in found.witnesses} <= {witnesses.CO_RUNNERS}
    assert [row[2] for row in sessions_pages.session_rows(found)[1:]] == ["not recorded"] * 2


def test_a_pooled_folder_without_its_runs_is_said_to_lack_them(
    pooled: sessions.PooledReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions_pages.write(pooled, tmp_path / "pooled", ())
    change(tmp_path / "pooled" / results.POOLED_FILE, lambda d: d["runs"][0].update(folder="../gone"))
    assert cli.main(["verify", str(tmp_path / "pooled")]) == EXIT_INVALID
    assert "../gone/run.json" in capsys.readouterr().out
