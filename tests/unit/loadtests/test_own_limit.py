"""The nearest system error behind a problem decides whether the load generator itself was at a limit."""

import errno

import pytest

from harness.records import OWN_LIMIT, OWN_LIMIT_WORDS, is_own_limit
from loadtests.reading import SignInError, TurnError, failure_of, own_limit


def raised_from(problem: BaseException, cause: BaseException) -> BaseException:
    """Return a problem as ``raise problem from cause`` leaves it."""
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    "problem",
    [
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        MemoryError(),
        raised_from(ValueError("a library's own words"), OSError(errno.ENFILE, "Too many open files in system")),
    ],
)
def test_what_a_process_cannot_have_is_its_own_limit(problem: Exception) -> None:
    failure = failure_of(problem)
    assert failure.kind == OWN_LIMIT
    assert is_own_limit(failure.message)
    assert len(failure.message) > len(OWN_LIMIT_WORDS)


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        # the server's first address was not to be had, the last one refused
        raised_from(ConnectionRefusedError(errno.ECONNREFUSED, "refused"), OSError(errno.EADDRNOTAVAIL, "no address")),
        TimeoutError("timed out"),
        RuntimeError("user code broke"),
        None,
    ],
)
def test_what_a_server_does_is_not(problem: Exception | None) -> None:
    assert own_limit(problem) is None


def test_other_problems_keep_their_kind_and_words() -> None:
    refused = SignInError("http", "HTTP 401")
    assert failure_of(refused) is refused
    assert failure_of(ConnectionResetError(errno.ECONNRESET, "reset")).message == "reset"
    assert failure_of(TimeoutError("timed out")).kind == "connection"
    broken = failure_of(RuntimeError("user code broke"))
    assert (type(broken), broken.kind, broken.message) == (TurnError, "application", "RuntimeError: user code broke")
