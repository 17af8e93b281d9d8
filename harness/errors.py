"""The one error a person is meant to see, and the exit codes of the command line."""

EXIT_DONE = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INVALID = 3
EXIT_GATE = 4


class BenchError(Exception):
    """Something a person can act on: what happened with the value seen, and what to do about it."""

    def __init__(self, message: str, hint: str, *, exit_code: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class UsageError(BenchError):
    """The person's words were off: an unknown name, key or option (exit 2)."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint, exit_code=EXIT_USAGE)
