"""How the application is served; the address comes from the command line."""

import gc
import os
from typing import Any

wsgi_app = "chat:create_app()"
worker_class = "gevent"
workers = 2  # the budget is two processors
worker_connections = 1000  # a process; live streams included
backlog = 4096
keepalive = 75
loglevel = "warning"
control_socket_disable = True  # it would want a writable home
graceful_timeout = 4  # then the master kills


def post_worker_init(worker: Any) -> None:
    """Make a worker interrupt its streams, which saves what came of them, before the master kills it."""
    worker.cfg.set("graceful_timeout", 1)
    if os.environ.get("FREEZE_IMPORTS") != "0":
        # What is imported by now stays: a collection need not walk it while every stream waits. Full ones are rare.
        gc.collect()
        gc.freeze()
        gc.set_threshold(2_000, 10, 100)
