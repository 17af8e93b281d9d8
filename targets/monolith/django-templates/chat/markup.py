"""Answers as safe HTML: Markdown without raw HTML or images, then a sanitiser that lets only known elements through."""

import re
from collections.abc import MutableMapping, Sequence

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

SCHEMES = {"http", "https", "mailto"}
TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}}
LANGUAGE = re.compile(r"language-[\w+#.-]+")
#: emphasis in one paragraph costs the parser quadratic time; nobody writes such a line by hand
LONGEST_LINE = 20_000


class Renderer(RendererHTML):
    """Markdown's HTML, save for what would load something or shout louder than the page's own heading."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, object]) -> str:
        """A link instead: an image would be fetched at once and tell its server who reads the answer."""
        token = tokens[idx]
        address = str(token.attrGet("src") or "")
        label = escape(self.renderInlineAsText(token.children or [], options, env) or address)
        return f'<a href="{escape(address)}">[image: {label}]</a>'

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, object]
    ) -> str:
        """One level down: the page's heading is the title of the conversation."""
        return f"<h{_lower(tokens[idx])}>"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, object]
    ) -> str:
        """Close what was opened."""
        return f"</h{_lower(tokens[idx])}>\n"


def _lower(token: Token) -> int:
    return min(int(token.tag[1]) + 1, 6)


_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=Renderer)
_markdown.enable(["table", "strikethrough"])


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Let only the parser's own classes through: a foreign one could borrow the look of a button."""
    return value if name != "class" or LANGUAGE.fullmatch(value) else None


def render(text: str) -> SafeString:
    """Return Markdown as HTML in which nothing runs and nothing is fetched."""
    if any(len(line) > LONGEST_LINE for line in text.split("\n")):
        html = "<p>" + str(escape(text)).replace("\n", "<br>") + "</p>"
    else:
        html = _markdown.render(text)
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return mark_safe(clean)  # noqa: S308  # the sanitiser's output is what this is for
