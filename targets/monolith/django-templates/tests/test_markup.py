"""Answers as HTML: Markdown shows, nothing runs, nothing is fetched."""

import re

from chat.markup import render
from django.test import SimpleTestCase

HOSTILE = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](https://beacon.invalid/p.png)",
    "![x](javascript:alert(1))",
    "[![x](https://beacon.invalid/p.png)](https://example.com/)",
    '<a href="javascript:alert(1)">x</a>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>body{display:none}</style>",
    "<form action='https://beacon.invalid/'><input name=password></form>",
    "<details open ontoggle=alert(1)>x</details>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "</div></article></body><!-- <script>alert(1)</script> -->",
    "[x]: javascript:alert(1)\n\n[x]",
    "```html\n<script>alert(1)</script>\n```",
    "> [x](javascript:alert(1))\n> - ![y](https://beacon.invalid/z.png)",
    '[x](https://example.com/ "onmouseover=alert(1)")',
    "```button primary\nx\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)
TAG = re.compile(r"<\s*/?\s*([a-z0-9]+)([^>]*)>", re.IGNORECASE)
ALLOWED = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "ul", "ol", "li"),
    *("strong", "em", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}


class MarkupTests(SimpleTestCase):
    def test_markdown_is_shown(self) -> None:
        html = render("# Sea\n\nsome **bold**, ~~struck~~ `code`\n\n- a\n\n| x |\n| - |\n| y |\n\n```py\nx < 1\n```")
        for part in ("<h2>Sea</h2>", "<strong>bold</strong>", "<s>struck</s>", "<code>code</code>", "<li>a</li>"):
            self.assertIn(part, html)
        self.assertIn("<td>y</td>", html)
        self.assertIn('<code class="language-py">x &lt; 1', html)

    def test_links_open_elsewhere_and_tell_nothing(self) -> None:
        html = render("[sea](https://example.com/) [mail](mailto:a@example.com)")
        self.assertEqual(html.count('rel="noopener noreferrer nofollow"'), 2)
        self.assertEqual(html.count('target="_blank"'), 2)

    def test_hostile_text_has_no_element_attribute_or_address_that_acts(self) -> None:
        for text in HOSTILE:
            with self.subTest(text):
                html = render(text)
                for name, attributes in TAG.findall(html):
                    self.assertIn(name.lower(), ALLOWED)
                    names = set(re.findall(r'\s([\w:-]+)="', attributes))
                    self.assertLessEqual(names, {"href", "title", "rel", "target", "start", "class"})
                    for address in re.findall(r'href="([^"]*)"', attributes):
                        self.assertRegex(address, r"^(https?:|mailto:)")
                self.assertNotIn("button primary", html)

    def test_an_image_becomes_a_link_that_waits_for_a_click(self) -> None:
        html = render("![a beacon](https://beacon.invalid/p.png)")
        self.assertIn('<a href="https://beacon.invalid/p.png"', html)
        self.assertIn("[image: a beacon]", html)

    def test_endless_lines_are_plain_text(self) -> None:
        self.assertEqual(render("*" * 30_000 + "<b>"), "<p>" + "*" * 30_000 + "&lt;b&gt;</p>")
