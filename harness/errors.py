"""The one kind of error that users see, and the exit codes of the command line."""

EXIT_DONE = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INVALID = 3
EXIT_GATE = 4


class BenchError(Exception):
    """An error that its reader can act on: the fact with its value, and the remedy."""

    def __init__(self, message: str, hint: str, *, exit_code: int = EXIT_ERROR) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code


class UsageError(BenchError):
    """A wrong name, key or option on the command line or in a file (exit 2)."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint, exit_code=EXIT_USAGE)
