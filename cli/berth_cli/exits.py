"""What the command's exit code says, and the one error that ends a command with a sentence instead of a traceback."""

from __future__ import annotations

from enum import IntEnum

DEBUG_VARIABLE = "BERTH_DEBUG"
"""Set to anything: a bug ends with Python's traceback."""


class Exit(IntEnum):
    """Documented in docs/cli.md; scripts rely on them."""

    FINE = 0
    NO = 1
    """The question was answered, and the answer is no: not verified, or a pod of `what-if --add` has no place."""
    BAD_INPUT = 2
    """Wrong usage, or input that cannot be read."""
    UNREACHABLE = 3
    """The cluster did not answer, or refused."""
    BUG = 70
    """Berth broke (EX_SOFTWARE); please report it."""
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command: `error: message` on stderr, then `hint`, which says what to do next."""

    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.BAD_INPUT) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
