"""Tries one property of a Streamlit target and prints what was seen as JSON: ``NAME URL SEED SITE``."""

import json
import sys
from dataclasses import asdict

from harness.probes.security.streamlit import injection, roles, surface
from harness.probes.security.streamlit.scene import Stage
from harness.probes.security.streamlit.wire import messages

PROPERTIES = {
    "roles": roles.roles,
    "objects": roles.objects,
    "anonymous": surface.anonymous,
    "forgery": surface.forgery,
    "websocket": surface.websocket,
    "cookies": surface.cookies,
    "headers": surface.headers,
    "sql": injection.sql,
    "throttling": surface.throttling,
}


def main() -> None:
    """Read the command line, try, print."""
    name, base_url, seed, site = sys.argv[1:]
    seen = PROPERTIES[name](Stage(base_url, seed=int(seed), messages=messages(site)))
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
