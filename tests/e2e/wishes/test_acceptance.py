"""Acceptance tests refuse what does not do what was asked for, and accept what does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from harness.environments import FrontEnds
from harness.experiments import scene, wishes
from harness.experiments.experiment import refused
from harness.experiments.wish import Wish
from tests import ROOT
from tests.doubles.wishes.honest import CHAT
from tests.doubles.wishes.pages import PAINTED, PICTURE, served
from tests.e2e.conftest import SEED, Running

pytestmark = pytest.mark.browser

WISHES = {wish.name: wish for wish in wishes(ROOT / "targets" / "wishes")}
UNPATCHED = ("streamlit", "django+angular")


def axe() -> Path:
    return FrontEnds(ROOT, print).ensure_axe()


def words(browser: Browser, wish: Wish, url: str) -> str:
    with wish.beside() as beside:
        return refused(browser, wish, url, SEED, beside, axe)


@pytest.mark.long  # a refusal takes all of a step's patience
@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("name", UNPATCHED)
def test_an_unpatched_target_is_refused(
    name: str, wish: str, started: Callable[[str], Running], browser: Browser
) -> None:
    assert words(browser, WISHES[wish], started(name).base_url)


@pytest.mark.parametrize("wish", WISHES)
def test_a_page_that_only_looks_right_is_refused(wish: str, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "PATIENCE_MS", 1500)
    with served({"/": PAINTED, "/picture.svg": PICTURE}) as url:
        assert words(browser, WISHES[wish], url)


@pytest.mark.parametrize("wish", ["brand", "bubbles", "stop-and-regenerate"])
def test_a_page_that_does_it_is_accepted(wish: str, browser: Browser) -> None:
    with served({"/": CHAT}) as url:
        assert words(browser, WISHES[wish], url) == ""


@pytest.mark.parametrize(
    ("wish", "from_here", "to_there"),
    [
        ("brand", "#0b5a6b", "#0b5a6c"),
        ("brand", "light-dark(#fbf7f0, #10191c)", "#fbf7f0"),
        ("brand", "Palatino", "Verdana"),
        ("bubbles", "justify-content: flex-end", "justify-content: flex-start"),
        ("bubbles", "p.textContent = one.text;", "p.textContent = one.text; article.append(new Image(20, 20));"),
        ("stop-and-regenerate", "clearInterval(timer); timer = 0;", "timer = 0;"),
        ("stop-and-regenerate", "kept.pop(); answer()", "answer()"),
        ("stop-and-regenerate", "(left + tries) % 5", "left % 5"),
    ],
)
def test_a_page_that_does_it_but_for_one_thing_is_refused(
    wish: str, from_here: str, to_there: str, browser: Browser
) -> None:
    assert from_here in CHAT
    with served({"/": CHAT.replace(from_here, to_there)}) as url:
        assert words(browser, WISHES[wish], url)
