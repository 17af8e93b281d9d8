"""One wish from its patch to its result, on the real thing."""

from pathlib import Path

import pytest

from harness.experiments import Trying, granted, wishes
from harness.runtimes.local import LocalRuntime
from tests import ROOT
from tests.e2e.conftest import CATALOGUE, SEED


@pytest.mark.browser
def test_a_wish_is_tried_from_patch_to_result(tmp_path: Path) -> None:
    runtime = LocalRuntime()
    before = {path.name for path in (ROOT / ".chatbench" / "data").iterdir()}
    (found,) = granted(
        Trying(
            root=ROOT,
            catalogue=CATALOGUE,
            runtime=lambda: runtime,
            wishes=[wish for wish in wishes(ROOT / "targets" / "wishes") if wish.name == "embedded"],
            targets=[CATALOGUE.target("streamlit")],
            seed=SEED,
            folder=tmp_path,
            again=False,
            tell=print,
        )
    )
    runtime.close()
    one, kept = found
    assert (one.outcome, one.level, kept) == ("met", 1, False), one.text
    assert one.cost is not None
    assert one.cost.restart_s is not None
    assert len(one.walk) == 10
    made = {path.name for path in (ROOT / ".chatbench" / "data").iterdir()} - before
    assert len(made) <= 1  # the unpatched target's, where it was not there yet
