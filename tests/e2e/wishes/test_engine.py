"""One wish from its patch to its result, on the real thing."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from harness.experiments import Trying, granted, series, wishes
from harness.runtimes.local import LocalRuntime
from tests import ROOT
from tests.e2e.conftest import CATALOGUE, SEED


@pytest.mark.browser
def test_a_wish_is_tried_from_patch_to_result(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series.chromium, "opened", lambda: nullcontext(browser))  # one Playwright a process
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
