"""The conditions of a report, as a reader can use them."""

from dataclasses import replace
from pathlib import Path

from reports.content.report import assemble, conditions_list
from tests.doubles import results_run


def test_the_command_is_quoted_for_a_shell(tmp_path: Path) -> None:
    report = assemble(results_run.write_run(tmp_path / "run", results_run.SMALL[:1]))
    typed = ("chatbench", "run", "./my bot (1) & more", "--results", "$HOME/r")
    said = dict(conditions_list(replace(report, run=replace(report.run, command=typed))))
    assert said["Command"] == "chatbench run './my bot (1) & more' --results '$HOME/r'"
    assert dict(conditions_list(report))["Command"] == "chatbench run"
