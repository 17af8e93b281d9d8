"""The file that Locust runs.

A trial:  CHATBENCH_PLAN=plan.json locust -f loadtests/locustfile.py --headless --loglevel WARNING
By hand:  locust -f loadtests/locustfile.py --host http://127.0.0.1:8000 --protocol rest
"""

import itertools
import json
import logging
import math
import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import locust
from gevent.event import Event
from locust import User, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from harness.records import AnswerPlan, Distribution, LoadPlan, from_json
from loadtests.by_hand import HandTracker
from loadtests.distributed import Master, Worker
from loadtests.runner import LoadRun
from loadtests.scenarios import chat
from loadtests.users.choose import page_class, visitor

_WORKERS_COME_S = 30  # the master's wait for its workers
# Locust's error about a user that ended by itself in the moment in which all are stopped: nothing is left to stop
ENDED_USER = "we encountered a user that didn't have proper args"
_state: dict[str, LoadRun | HandTracker] = {}
_numbers = itertools.count()
_conducting = Event()  # set: the trial notices by itself that its master ended


def _read_plan() -> LoadPlan | None:
    """Return the plan, None by hand; a bad plan ends this process before it has workers that wait for it."""
    path = os.environ.get("CHATBENCH_PLAN")
    if path is None:
        return None
    plan = from_json(LoadPlan, json.loads(Path(path).read_text()))
    try:
        page_class(plan.protocol, plan.user_class)
    except ValueError as problem:
        sys.exit(f"{path}: {problem}")
    return plan


def _end_with(master: int) -> None:
    """End a worker together with its master before it measures; Locust alone would wait five minutes."""
    while not _conducting.wait(0.1):
        if os.getppid() != master:
            os._exit(1)


_PLAN = _read_plan()
if _PLAN is not None and _PLAN.workers > 1:
    os.register_at_fork(after_in_child=partial(gevent.spawn, _end_with, os.getpid()))


def _listen(hook: Any, listener: Callable[..., None]) -> None:
    hook.add_listener(listener)


class VirtualUser(User):
    """One virtual user."""

    @task
    def live(self) -> None:
        """Play the scenario until the end of the trial."""
        tracker = _state["tracker"]
        if isinstance(tracker, LoadRun):
            tracker.user()
            raise StopUser
        number = next(_numbers)
        page = page_class(tracker.plan.protocol, tracker.plan.user_class)(visitor(tracker.plan, number))
        try:
            chat(tracker, number, page, time.monotonic())
        finally:
            page.close()


def add_arguments(parser: ArgumentParser, **_: Any) -> None:
    """Add the arguments of a run by hand, also fields of Locust's web page; a plan overrides them all."""
    add = parser.add_argument
    add("--protocol", default="rest", help="rest, forms, streamlit or openai")
    add("--user-class", default="", help="your own user class instead: path/to/user.py:Name")
    add("--think-s", type=float, default=7.0, help="median think time in seconds")
    add("--think-sigma", type=float, default=0.0, help="its log-normal sigma; 0: constant")
    add("--turns", type=int, default=4, help="turns per conversation")
    add("--message-chars", type=int, default=70, help="length of a message")
    add("--seed", type=int, default=42, help="seed of the target's data and of the model")
    add("--seeded-users", type=int, default=1000, help="accounts in the target's data")
    add("--streamlit-site", default="", help="site-packages of the target's own streamlit")
    if _PLAN is not None and (workers := _PLAN.workers) > 1:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        parser.set_defaults(processes=workers, master_bind_host="127.0.0.1", master_bind_port=port, master_port=port)
        parser.set_defaults(expect_workers_max_wait=_WORKERS_COME_S)


def set_up(environment: Environment, **_: Any) -> None:
    """Set Locust up for the plan or the arguments; a plan runs as soon as all users exist."""
    options = environment.parsed_options
    assert options is not None  # noqa: S101  # Locust's command line always sets it
    if _PLAN is None:
        if options.headless and not options.host:
            sys.exit("no target given: add --host http://127.0.0.1:PORT, the address the chatbot answers at")
        _listen(environment.events.test_start, start_by_hand)
        return
    plan, runner = _PLAN, environment.runner
    options.only_summary = True
    logging.getLogger("locust.stats_logger").disabled = True
    runners = logging.getLogger("locust.runners")
    runners.setLevel(logging.ERROR)  # users spawn at once: the ramp is the trial's own
    runners.addFilter(lambda record: ENDED_USER not in str(record.msg))
    environment.process_exit_code = 1  # until the plan is complete
    if isinstance(runner, MasterRunner):
        options.num_users = options.spawn_rate = plan.workers * math.ceil(plan.users / plan.workers)
        gevent.spawn(_lead, environment, Master(runner, plan))
        return
    worker = Worker(runner, runner.worker_index, plan.workers) if isinstance(runner, WorkerRunner) else None
    trial = LoadRun(plan, locust.__version__, worker)
    _state["tracker"] = trial
    options.num_users = options.spawn_rate = trial.users
    gevent.spawn(_conduct, environment, trial)
    _listen(environment.events.quitting, lambda **_: trial.finish(stopped_early=True, note="interrupted"))


def start_by_hand(environment: Environment, **_: Any) -> None:
    """Read the arguments at the start of a test: the web page may have changed them."""
    options = environment.parsed_options
    assert options is not None  # noqa: S101  # see above
    plan = _plan_by_hand(options, environment.host or "")
    _state["tracker"] = HandTracker(plan, environment.events.request.fire)


def _conduct(environment: Environment, trial: LoadRun) -> None:
    runner = environment.runner
    assert runner is not None  # noqa: S101  # made before the init event
    try:
        while trial.arrived < trial.own_users:
            time.sleep(0.02)
        _conducting.set()
        _on_signals(lambda number: _interrupted(environment, trial, number))
        trial.conduct()
        environment.process_exit_code = 0 if trial.completed else 1
        trial.wait_for_others()
    finally:
        runner.quit()


def _lead(environment: Environment, master: Master) -> None:
    runner = environment.runner
    assert runner is not None  # noqa: S101  # see above
    try:
        if master.gather():
            _on_signals(lambda _: master.interrupt())
            environment.process_exit_code = 0 if master.conduct() else 1
    finally:
        runner.quit()


def _on_signals(act: Callable[[int], None]) -> None:
    """Handle SIGTERM and SIGINT in place of Locust, whose handlers shut down twice and print a trace."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: gevent.spawn(act, number))


def _interrupted(environment: Environment, trial: LoadRun, number: int) -> None:
    trial.finish(stopped_early=True, note=f"interrupted by {signal.Signals(number).name}")
    if environment.runner is not None:
        environment.runner.quit()


def _plan_by_hand(options: Namespace, host: str) -> LoadPlan:
    return LoadPlan(
        scenario="chat",
        protocol=options.protocol,
        user_class=options.user_class or None,
        instances=(host.rstrip("/"),),
        users=1,
        seed=options.seed,
        turns_per_conversation=options.turns,
        message_chars=options.message_chars,
        think_s=Distribution(median=options.think_s, sigma=options.think_sigma),
        answer=AnswerPlan(ttft_s=Distribution(median=0.0), itl_s=0.0, tokens=Distribution(median=0.0)),
        ramp_up_s=0.0,
        warm_up_s=0.0,
        measure_min_s=0.0,
        measure_max_s=0.0,
        measure_turns=0,
        drain_s=0.0,
        seeded_users=options.seeded_users,
        output="",
        stop_file="",
        streamlit_site=options.streamlit_site or None,
    )


_listen(events.init_command_line_parser, add_arguments)
_listen(events.init, set_up)
