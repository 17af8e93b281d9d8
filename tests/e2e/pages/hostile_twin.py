"""A page that shows what its model says: with care, without any, or without any behind a Content-Security-Policy.

It may show answers as they come, cut in the middle of an address, before it shows them whole; and it may be stuck
after each of them, its box disabled until it is loaded again.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from harness.probes.security.pages.trap import PAYLOADS
from tests.serving import serving

TAG = re.compile(r"tag-([0-9a-f]{16})\?payload=hostile-([a-z-]+)")
PAGE = """<!doctype html><meta charset="utf-8"><title>Chat</title>
<button>New conversation</button><div id="thread"></div><textarea aria-label="Message" rows="2"></textarea>
<script src="/page.js"></script>"""
SCRIPT = """
const thread = document.getElementById('thread');
const box = document.querySelector('textarea');
const show = text => {
  const article = document.createElement('article');
  thread.append(article);
  if (CUT && text.includes('//beacon')) article.innerHTML = text.replace(/(.*?\\/\\/beacon).*/s, '$1">');
  setTimeout(() => { if (CAREFUL) article.textContent = text; else article.innerHTML = text; }, CUT ? 50 : 0);
};
fetch('/answers').then(response => response.json()).then(texts => texts.forEach(show));
box.addEventListener('keydown', event => {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  fetch('/ask', {method: 'POST', body: box.value}).then(response => response.text()).then(show);
  box.value = '';
  box.disabled = STUCK;
});
"""
POLICY = "default-src 'self'; frame-src 'none'; form-action 'none'; base-uri 'none'"


class Handler(BaseHTTPRequestHandler):
    """The page, its script, its answers."""

    careful = False
    policy = False
    cut = False
    stuck = False
    seed = 42
    answers: list[str]

    def log_message(self, *args: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        if self.path == "/page.js":
            script = SCRIPT.replace("CAREFUL", json.dumps(self.careful)).replace("CUT", json.dumps(self.cut))
            script = script.replace("STUCK", json.dumps(self.stuck))
            self.reply("text/javascript", script)
        elif self.path == "/answers":
            self.reply("application/json", json.dumps(self.answers))
        else:
            self.reply("text/html", PAGE)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = TAG.search(content)
        assert found is not None
        nonce = hashlib.sha256(f"{self.seed}:{found[1]}".encode()).hexdigest()[:12]
        payload = tomllib.loads(PAYLOADS.read_text(encoding="utf-8"))[found[2]]
        self.answers.append(f"{nonce} {payload} [end]")
        self.reply("text/plain", self.answers[-1])

    def reply(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        if self.policy:
            self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(text.encode())


@contextmanager
def running(**how: Any) -> Iterator[str]:
    """Serve the page; ``careful``, ``policy``, ``cut`` and ``stuck`` say how."""
    with serving(type("Twin", (Handler,), how | {"answers": []})) as base_url:
        yield base_url
