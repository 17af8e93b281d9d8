"""The answer on a Streamlit page: the element that shows it, wherever it stands, and its last state."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[int, ...]  # of an element on the page: ``delta_path``

#: the fields that hold the text of elements
_TEXT: dict[str, tuple[str, ...]] = {
    "markdown": ("body",),
    "text": ("body",),
    "html": ("body",),
    "heading": ("body",),
    "alert": ("body",),
    "code": ("code_text",),
    "iframe": ("srcdoc",),
    "text_area": ("default", "value"),  # the second is what a script sets
    "text_input": ("default", "value"),
}
#: the fields in which components get their texts, as JSON
_JSON = {"component_instance": "json_args", "bidi_component": "json"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A text on the page that holds the nonce: from there on."""

    text: str
    fragment_id: str
    run: int


class AnswerOnPage:
    """The elements that show the nonce of one answer; the one with the longest text is the answer.

    So a title that quotes the beginning of the answer is not taken for it. While the answer is on the page its last
    state counts, shorter or not. Where it was taken away, another text counts once it is as long, or the run is over:
    an answer that is drawn again at another place, by ``st.rerun`` for instance, arrived when it was first there.
    """

    def __init__(self) -> None:
        self._nonce: str | None = None
        self._shown: dict[Path, _Shown] = {}
        self._at: Path | None = None
        self._told_chars = 0

    def expect(self, nonce: str | None) -> None:
        """Wait for the answer with this nonce."""
        self._nonce, self._at, self._told_chars = nonce, None, 0
        self._shown.clear()

    def draw(self, path: Path, element: Any, fragment_id: str, run: int) -> str | None:
        """Return the answer's text if an element that was drawn there, or a block (None), gave it another state."""
        if self._nonce is None:
            return None
        text = None if element is None else text_with(self._nonce, element)
        if text is None and not self._shown:
            return None
        for other in [other for other in self._shown if other[: len(path)] == path]:
            if element is not None or other == path:  # a block that is drawn again keeps what is in it
                del self._shown[other]
        if text is not None:
            self._shown[path] = _Shown(text, fragment_id, run)
        before, best = self._at, self._longest()
        if best is None or (before not in self._shown and self._chars(best) < self._told_chars):
            return None
        if before not in self._shown or self._chars(best) > self._chars(before):
            self._at = best
        return self._tell() if self._at == path or self._at != before else None

    def keep(self, path: Path, run: int) -> None:
        """Note that an element was drawn as it had been."""
        if shown := self._shown.get(path):
            self._shown[path] = _Shown(shown.text, shown.fragment_id, run)

    def over(self, gone: Callable[[str, int], bool]) -> str | None:
        """Return the answer's text if it is another one now that elements went whose (fragment, run) are gone."""
        self._shown = {at: one for at, one in self._shown.items() if not gone(one.fragment_id, one.run)}
        best = self._longest()
        if best is None or self._at in self._shown:
            return None
        self._at = best
        return self._tell()

    def _longest(self) -> Path | None:
        return max(self._shown, key=self._chars, default=None)

    def _chars(self, path: Path | None) -> int:
        shown = None if path is None else self._shown.get(path)
        return len(shown.text) if shown else 0

    def _tell(self) -> str | None:
        if self._at is None:
            return None
        text = self._shown[self._at].text
        self._told_chars = len(text)
        return text


def text_with(nonce: str, element: Any) -> str | None:
    """Return the text that an element shows from the nonce on, None where it shows none with it."""
    kind = element.WhichOneof("type")
    if kind in _TEXT:
        shown = getattr(element, kind)
        texts = iter([str(getattr(shown, name)) for name in _TEXT[kind]])
    elif kind in _JSON and nonce in (source := str(getattr(getattr(element, kind), _JSON[kind]))):
        texts = _strings(json.loads(source))
    else:
        return None
    return next((text[start:] for text in texts if (start := text.find(nonce)) >= 0), None)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
