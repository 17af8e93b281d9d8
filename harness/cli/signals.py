"""The signals that end a command: each unwinds it as Ctrl-C does, so that all it started is stopped."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT  # the shells' convention
OUTPUTS = (1, 2)  # stdout and stderr


class Ended(KeyboardInterrupt):
    """The end of a command by SIGTERM or SIGHUP; whatever takes care of Ctrl-C takes care of it too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def orderly() -> Iterator[None]:
    """Have SIGINT, SIGTERM and SIGHUP unwind the block.

    A shell without job control starts programs in the background with SIGINT ignored: here it works nevertheless.
    So do blocked signals. SIGCHLD inherited as ignored would turn the exit code of whatever is started into 0.
    Under ``nohup`` SIGHUP stays ignored. A second SIGTERM or SIGHUP does not disturb what the first one began.
    """
    if threading.current_thread() is not threading.main_thread():  # only that may set handlers
        yield
        return
    terminals = [descriptor for descriptor in OUTPUTS if os.isatty(descriptor)]
    ended = False

    def end(number: int, _: FrameType | None) -> None:
        nonlocal ended
        if not ended:
            ended = True
            _leave_closed(terminals)
            raise Ended(number)

    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, before)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal ended."""
    return 128 + interrupt.number if isinstance(interrupt, Ended) else INTERRUPTED


def in_words(interrupt: KeyboardInterrupt) -> str:
    """Return what ended a command."""
    return f"ended by {signal.Signals(interrupt.number).name}" if isinstance(interrupt, Ended) else "interrupted"


def _leave_closed(terminals: Sequence[int]) -> None:
    """Let output to a terminal that was closed go nowhere: writing to it would fail in the middle of stopping."""
    closed = [descriptor for descriptor in terminals if not os.isatty(descriptor)]
    if closed:
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        for descriptor in closed:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
