"""A server of one page per path, for acceptance tests of wishes."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: looks like a branded, embedded, Spanish chat with a slider, a card and a page of figures: all of it is painted
PAINTED = """
<!doctype html><html lang="en"><title>Chat</title>
<style>
 body { margin: 0; background: #fff url('picture.svg') no-repeat; }
 .real { position: absolute; left: -3000px; }
</style>
<main class="real">
 <label>Username <input></label><label>Password <input type="password"></label><button>Sign in</button>
 <button>New conversation</button><label>Search conversations <input type="search"></label>
 <textarea aria-label="Message"></textarea>
</main></html>
"""
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="800">
<rect width="1280" height="800" fill="#fbf7f0"/><rect width="280" height="800" fill="#efe6d8"/>
<g fill="#23302f" font-family="Georgia" font-size="20">
 <text x="40" y="40">Acme</text><text x="320" y="60">Temperatura ●────</text>
 <text x="320" y="100">Stop  Regenerate  ‹ 2 / 2 ›  Go to date</text>
 <text x="320" y="140">Analysis: Conversation 1 | 1000 | 2000</text>
 <text x="320" y="180">Book a room: Guests 4, Day Monday. Sent</text>
 <text x="320" y="220">Sign in with Acme</text><text x="320" y="260">entry-141 of 2026-03-15</text>
</g></svg>"""


@contextmanager
def served(pages: Mapping[str, str]) -> Iterator[str]:
    """Serve pages by path, the first one everywhere else; yield the address."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            content = pages.get(path, next(iter(pages.values()))).encode()
            self.send_response(200)
            kind = "image/svg+xml" if path.endswith(".svg") else "text/html; charset=utf-8"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
