"""Where question and answer are painted, and that nothing stands beside them."""

from harness.experiments.scene import Scene, box_of_text, claim, colour_behind, message_with

QUESTION = "On which side?"
ASIDE = 64  # CSS pixels between a bubble's text and the edge of the column
#: what somebody would see as a picture: drawn, or an icon's letters; what belongs to a button or a choice is none
PICTURES = """
(message, words) => {
  const controls = 'button, a, input, label, [role=button], [role=radio], [role=radiogroup]';
  const seen = one => one.getBoundingClientRect().width > 4 && getComputedStyle(one).visibility === 'visible';
  const free = one => !one.closest(controls) && seen(one);
  const drawn = [...message.querySelectorAll('img, svg, canvas, [role=img]')].filter(free).length;
  const painted = [...message.querySelectorAll('*')].filter(free)
    .filter(one => getComputedStyle(one).backgroundImage !== 'none').length;
  const walker = document.createTreeWalker(message, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (free(one) && walker.currentNode.textContent.trim()) texts.push(walker.currentNode.textContent.trim());
  }
  const alien = texts.filter(text => !words.includes(text) && text.length <= 24 && !/ /.test(text)
    && (text.length <= 2 || /icon|symbol/i.test(fontOf(text))));
  function fontOf(text) {
    const leaves = [...message.querySelectorAll('*')].filter(one => one.children.length === 0);
    const holder = leaves.find(one => one.textContent.trim() === text);
    return holder ? getComputedStyle(holder).fontFamily : '';
  }
  return {drawn, painted, alien};
}
"""


def accept(scene: Scene) -> None:
    """Ask something, then look at where it all is."""
    person = scene.person("user0052")
    page = person.page
    person.new_conversation()
    message = person.message(QUESTION, tokens=60)
    person.say(message)
    answer = person.answer(message)
    for name, found, text in (("question", message_with(page, QUESTION), message.tag), ("answer", answer, "[end]")):
        seen = found.evaluate(PICTURES, text)
        claim(not seen["drawn"], f"{seen['drawn']} pictures are drawn in the {name}")
        claim(not seen["painted"], f"{seen['painted']} elements of the {name} have a picture behind them")
        claim(not seen["alien"], f"beside the {name} stands {seen['alien']}")
    asked = message_with(page, QUESTION)
    bubble, text = box_of_text(asked, QUESTION), box_of_text(answer, "[end]")
    column = person.message_box().bounding_box()
    if column is None:
        raise AssertionError("the box is not to be seen")
    left, right = column["x"], column["x"] + column["width"]
    claim(
        abs(right - bubble["right"]) < 2 * ASIDE,
        f"the question ends at {bubble['right']:.0f}, the column at {right:.0f}",
    )
    claim(
        bubble["left"] - left > 0.2 * column["width"],
        f"the question begins at {bubble['left']:.0f}, the column at {left:.0f}",
    )
    claim(text["left"] - left < ASIDE, f"the answer begins at {text['left']:.0f}, the column at {left:.0f}")
    behind = colour_behind(asked.get_by_text(QUESTION).last)
    around = colour_behind(answer.get_by_text("[end]").last)
    claim(behind != around, f"the question has the colour of the page, {around}")
    claim(text["top"] >= bubble["bottom"], "the answer does not stand below the question")
