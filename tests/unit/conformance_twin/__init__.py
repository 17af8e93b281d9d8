"""A whole REST target in one small server, to prove the conformance checks on: right, or with one defect at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from tests.unit.conformance_twin.operations import Handler
from tests.unit.conformance_twin.state import SEED, Twin

__all__ = ["SEED", "Twin", "running"]


@contextmanager
def running(twin: Twin) -> Iterator[str]:
    """Serve a twin on a free port; yields its address."""
    handler = type("TwinHandler", (Handler,), {"twin": twin})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
