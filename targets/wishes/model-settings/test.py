"""Move the slider, ask the model what it was sent, look again elsewhere and as somebody else."""

from playwright.sync_api import Locator, expect

from harness.experiments.scene import PATIENCE_MS, Scene, claim
from harness.probes.browser.person import Person

STEPS = 4  # from 0, of a tenth each


def accept(scene: Scene) -> None:
    """One person moves it, another does not."""
    person = scene.person("user0060")
    slider = _slider(person)
    _at(slider, 1.0)
    slider.focus()
    slider.press("Home")
    for _ in range(STEPS):
        slider.press("ArrowRight")
    _at(_slider(person), STEPS / 10)
    person.page.wait_for_timeout(1500)
    _sent(person, STEPS / 10)
    elsewhere = scene.person("user0060")
    _at(_slider(elsewhere), STEPS / 10)
    _sent(elsewhere, STEPS / 10)
    other = scene.person("user0061")
    _at(_slider(other), 1.0)
    _sent(other, 1.0)


def _slider(person: Person) -> Locator:
    slider = person.page.get_by_role("slider", name="Temperature")
    expect(slider).to_be_visible(timeout=PATIENCE_MS)
    return slider


def _at(slider: Locator, wanted: float) -> None:
    """Wait until it stands there: a native slider has a value, any other one says it."""
    seen = None
    for _ in range(40):
        seen = slider.evaluate("one => parseFloat(one.getAttribute('aria-valuenow') ?? one.value)")
        if seen is not None and abs(seen - wanted) < 0.01:
            return
        slider.page.wait_for_timeout(100)
    raise AssertionError(f"the slider is at {seen}, not at {wanted}")


def _sent(person: Person, wanted: float) -> None:
    person.new_conversation()
    message = person.message("What were you sent?", payload="parameters", ttft_s=0.1, itl_s=0.01)
    person.say(message)
    text = person.answer(message).inner_text()
    said = [word.partition("=")[2] for word in text.split() if word.startswith("temperature=")]
    claim(bool(said), "the model was sent no temperature")
    claim(abs(float(said[0]) - wanted) < 0.01, f"the model was sent the temperature {said[0]}, not {wanted}")
