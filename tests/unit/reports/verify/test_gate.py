"""A gate's answer is found again from its pairs' raw samples, and whatever differs is named."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness import results
from harness.analysis import gate
from harness.records import GateTerms, Reason, Verdict
from reports import build
from reports.compare import gate as report
from reports.verify import gate as verify_gate
from reports.verify import verify
from tests.doubles import results_run

USERS, MARGIN, SIZE = 20, 0.05, 3
GATE = "report/gate.json"
REMARKS = ("base and head hold the same files of the target",)
FIGURE = "target_cpu_s_per_turn"
STOLEN = Verdict(outcome="invalid", reasons=(Reason(code="invalid.steal", text="stolen"),))
SLOW = Verdict(outcome="fail", reasons=(Reason(code="target.died", text="it died"),))


def side(name: str, cpu_s: float, pairs: int) -> results_run.Measured:
    return replace(
        results_run.STREAMLIT,
        name=f"streamlit@{name}",
        capacity=60,
        levels=tuple((USERS, n) for n in range(pairs)),
        cpu_s_per_turn=cpu_s,
        idle=False,
    )


def write_gate(folder: Path, head_cpu_s: float, batches: int, judged: dict[tuple[str, int], Verdict]) -> Path:
    """Write a gate's run as the command does; ``judged`` replaces verdicts by side and pair."""
    pairs = SIZE * batches
    models = (side(gate.BASE, 0.06, pairs), side(gate.HEAD, head_cpu_s, pairs))
    terms = GateTerms(base="main (0123)", head="working tree", margin=MARGIN, pairs=SIZE, remarks=REMARKS)
    results_run.write_run(folder, models, common_level=USERS, gate=terms)
    for (name, number), verdict in judged.items():
        results_run.rewrite(trial_of(folder, name, number), verdict=verdict)
    build.build(folder)
    facts = answer(folder, batches)
    report.write(facts, folder / "report")
    return folder


def trial_of(folder: Path, name: str, number: int) -> Path:
    (path,) = folder.glob(f"trials/streamlit-{name}/chat/*-{USERS}-{number}")
    return path


def answer(folder: Path, batches: int) -> report.Gate:
    """Decide by ``harness.analysis.gate``, as the command does."""
    made = {(t.key.target, t.key.repetition): t for _, t in results.read_trials(folder) if t.key.scenario == "chat"}
    both = [[made[f"streamlit@{name}", n] for name in (gate.BASE, gate.HEAD)] for n in range(SIZE * batches)]
    pairs = [gate.pair_of(1 + n // SIZE, *trials) for n, trials in enumerate(both)]
    deciding = gate.gate(MARGIN)
    number = next(deciding)
    try:
        while True:
            number = deciding.send([pair for pair in pairs if pair.batch == number])
    except StopIteration as end:
        decision = end.value
    assert len(decision.batches) == batches
    return report.Gate(
        target="streamlit",
        base="main (0123)",
        head="working tree",
        users=USERS,
        decision=decision,
        pairs=tuple(pairs),
        false_alarm_ratio=gate.false_alarms(pairs, MARGIN),
        remarks=REMARKS,
    )


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gate(tmp_path_factory.mktemp("failed") / "run", 0.15, 2, {})


@pytest.fixture
def run(failed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(failed, tmp_path / "run")


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text())
    edit(data)
    results.write_json(path, data)


def named(run: Path) -> set[tuple[str, str]]:
    return {(one.place, one.figure) for one in verify(run)}


@pytest.mark.parametrize(
    ("head_cpu_s", "batches", "judged", "outcome"),
    [
        (0.03, 1, {}, "passed"),
        (0.15, 2, {}, "failed"),
        (0.06, 2, {("head", 4): SLOW, ("head", 0): SLOW}, "inconclusive"),
        (0.06, 2, {("base", 1): STOLEN}, "inconclusive"),
        (0.03, 2, {("head", n): SLOW for n in range(6)}, "failed"),
    ],
)
def test_an_honest_answer_gives_no_finding(
    head_cpu_s: float, batches: int, judged: dict[tuple[str, int], Verdict], outcome: str, tmp_path: Path
) -> None:
    folder = write_gate(tmp_path / "run", head_cpu_s, batches, judged)
    assert json.loads((folder / GATE).read_text())["decision"]["outcome"] == outcome
    assert [str(one) for one in verify(folder) if one.place.startswith("report/gate")] == []


@pytest.mark.parametrize("target", ["./me@home/bot", "streamlit"])
def test_a_targets_name_ends_before_its_side(target: str) -> None:
    run = {"format_version": 2, "common_level": 5, "targets": {f"{target}@base": {}, f"{target}@head": {}}}
    asked = {"base": "a", "head": "b", "margin": 0.05, "pairs": 5}
    gate = {"target": target, "pairs": [], "decision": {}}
    assert "target" not in {figure for figure, _ in verify_gate.check(gate, run | {"gate": asked}, [])}


def test_an_untouched_run_gives_no_finding(run: Path) -> None:
    assert [str(one) for one in verify(run)] == []


def test_a_changed_sample_is_named_in_its_trial_and_wherever_the_answer_rests_on_it(run: Path) -> None:
    path = trial_of(run, "head", 1)
    frame = pd.read_parquet(path / results.RESOURCES)
    frame["cpu_s"] *= 1.02
    frame.to_parquet(path / results.RESOURCES, index=False)
    change(
        path / "trial.json",
        lambda data: data["files"].update({results.RESOURCES: results.sha256(path / results.RESOURCES)}),
    )
    assert {
        (f"{path.relative_to(run).as_posix()}/trial.json", FIGURE),
        (GATE, "pairs[1].head"),
        (GATE, "decision.ratio.rounds[1]"),
        (GATE, "decision.batches[0].ratio.low"),
        (GATE, "decision.ratio.value"),
    } <= named(run)


EDITS: Sequence[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda g: g["pairs"][4].update(base=0.06), "pairs[4].base"),
    (lambda g: g["pairs"][4].update(head_failed=True), "pairs[4].head_failed"),
    (lambda g: g["pairs"][4].update(batch=1), "pairs[4].batch"),
    (lambda g: g["pairs"][4].update(invalid="stolen"), "pairs[4].invalid"),
    (lambda g: g["pairs"].pop(), "pairs"),
    (lambda g: g["decision"]["ratio"].update(low=1.0), "decision.ratio.low"),
    (lambda g: g["decision"].update(ratio=None), "decision.ratio"),
    (lambda g: g["decision"]["batches"][1]["ratio"].update(high=1.9), "decision.batches[1].ratio.high"),
    (lambda g: g["decision"]["batches"][1].update(finding="fine"), "decision.batches[1].finding"),
    (lambda g: g["decision"]["batches"][0].update(head_broke=True), "decision.batches[0].head_broke"),
    (lambda g: g["decision"]["batches"].pop(), "decision.batches"),
    (lambda g: g["decision"].update(outcome="passed"), "decision.outcome"),
    (lambda g: g["decision"].update(why="all is well"), "decision.why"),
    (lambda g: g["decision"].update(margin=0.9), "decision.margin"),
    (lambda g: g.update(false_alarm_ratio=0.5), "false_alarm_ratio"),
    (lambda g: g.update(users=200), "users"),
    (lambda g: g.update(base="v1.0"), "base"),
    (lambda g: g["remarks"].pop(), "remarks"),
    (lambda g: g.update(extra=1), "extra"),
]


@pytest.mark.parametrize(("edit", "figure"), EDITS, ids=[figure for _, figure in EDITS])
def test_an_edited_figure_or_decision_is_named_alone(
    failed: Path, edit: Callable[[dict[str, Any]], object], figure: str
) -> None:
    said, run = (json.loads((failed / name).read_text()) for name in (GATE, results.RUN_FILE))
    trials = [json.loads(path.read_text()) for path in failed.glob(f"trials/*/*/*/{results.TRIAL_FILE}")]
    assert list(verify_gate.check(said, run, trials)) == []
    edit(said)
    assert [name for name, _ in verify_gate.check(said, run, trials)] == [figure]


def test_an_edited_decision_is_named_with_its_file(run: Path) -> None:
    change(run / GATE, lambda g: g["decision"].update(outcome="passed"))
    text = "decision.outcome: printed 'passed', the samples give 'failed'"
    assert [str(one) for one in verify(run)] == [f"{GATE}: {text}"]


def test_a_pair_that_was_taken_out_of_run_and_answer_is_missed(run: Path) -> None:
    for name in (gate.BASE, gate.HEAD):
        shutil.rmtree(trial_of(run, name, 5))
    assert (GATE, "pairs") in named(run)
    change(run / GATE, lambda g: g["pairs"].pop())
    assert (GATE, "pairs") in named(run)


def test_a_batch_that_settles_nothing_needs_a_second(run: Path) -> None:
    for name in (gate.BASE, gate.HEAD):
        for number in range(SIZE, 2 * SIZE):
            shutil.rmtree(trial_of(run, name, number))
    finding = next(one for one in verify(run) if one.figure == "decision.outcome")
    assert finding.text == "printed 'failed', the samples give 'unsettled'"


def test_an_answer_of_an_older_run_is_held_against_its_own_terms(run: Path) -> None:
    change(run / results.RUN_FILE, lambda record: record.pop("gate"))
    assert named(run) == set()
    change(run / GATE, lambda g: g["decision"].update(outcome="passed"))
    assert named(run) == {(GATE, "decision.outcome")}


@pytest.mark.parametrize(("content", "said"), [(None, "is missing"), ("{", "cannot be read"), ("{}", "KeyError")])
def test_an_answer_that_is_gone_or_no_answer_is_named(run: Path, content: str | None, said: str) -> None:
    if content is None:
        (run / GATE).unlink()
    else:
        (run / GATE).write_text(content)
    (finding,) = verify(run)
    assert (finding.place, finding.figure) == (GATE, "file")
    assert said in finding.text


@pytest.mark.parametrize("name", ["gate.md", "gate.xml"])
def test_what_ci_reads_has_to_say_the_same(run: Path, name: str) -> None:
    file = run / "report" / name
    file.write_text(file.read_text().replace("failed: streamlit", "passed: streamlit"))
    (finding,) = verify(run)
    assert (finding.place, finding.figure) == (f"report/{name}", "line 1" if name == "gate.md" else "line 2")
    file.unlink()
    assert named(run) == {(f"report/{name}", "file")}


def test_false_alarms_are_counted_again_by_the_same_draws() -> None:
    noisy = [
        gate.Pair(batch=1 + n // 5, base=0.02, head=0.02 * r) for n, r in enumerate([0.5, 2.1, 0.45, 2.0, 0.55] * 2)
    ]
    said = gate.false_alarms(noisy, 0.01)
    plain = [{"batch": p.batch, "base": p.base, "head": p.head} for p in noisy]
    assert said is not None
    assert said > 0
    assert verify_gate._false_alarms(plain, 0.01) == said
