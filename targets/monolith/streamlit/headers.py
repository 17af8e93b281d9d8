"""Security headers, which Streamlit leaves to the app."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit as st

import versions

# the inline scripts of the page that Streamlit ships, and our own where it is one
_PAGE = (Path(st.__file__).parent / "static" / "index.html").read_text()
_SCRIPTS = re.findall(r"<script>(.*?)</script>", _PAGE, re.DOTALL) + (
    [] if versions.TODAY else [versions.COOKIE_SCRIPT]
)
_PAGE_SCRIPTS = " ".join(
    f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in _SCRIPTS
)
# No image, script or connection from elsewhere: a picture in an answer cannot tell a stranger that it was read.
# Styles are set inline by Streamlit's front end; components are imported from blob addresses.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' blob: 'wasm-unsafe-eval' {_PAGE_SCRIPTS}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
