"""The exit code of a run that asks only whether its targets work."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import run
from harness.errors import EXIT_DONE, EXIT_ERROR, EXIT_INVALID
from harness.records import Reason, Verdict
from reports.content.report import assemble
from tests.doubles import results_run

STREAMLIT = replace(results_run.SMALL[0], levels=(), idle=False)
ASKING = replace(results_run.PROFILE, capacity=False)


def reason(code: str) -> tuple[Reason]:
    return (Reason(code=code, text="so it was"),)


@pytest.mark.parametrize(
    ("verdict", "code", "said"),
    [
        (Verdict(outcome="pass"), EXIT_DONE, ""),
        (Verdict(outcome="fail", reasons=reason("slo.failure_ratio")), EXIT_ERROR, "streamlit does not work"),
        (Verdict(outcome="invalid", reasons=reason("invalid.lost_turns")), EXIT_INVALID, "streamlit was not settled"),
    ],
)
def test_the_exit_code_tells_whether_all_targets_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verdict: Verdict, code: int, said: str
) -> None:
    results_run.write_run(tmp_path, (STREAMLIT,), profile=ASKING)
    results_run.chat_trial(tmp_path, STREAMLIT, 10, 0, number=9, minute=9, judged=verdict)
    assert run._works(assemble(tmp_path)) == code
    assert said in capsys.readouterr().err
