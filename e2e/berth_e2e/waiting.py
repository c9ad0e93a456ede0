"""Waiting for something to become true, with a time limit and an error that says what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.25


class WaitedTooLongError(AssertionError):
    """It did not become true in time. An assertion, since for a test that is what it is."""


def wait_for(
    what: str, look: Callable[[], Found], timeout: float = 30.0, *, seen: Callable[[], object] | None = None
) -> Found:
    """The first true answer of `look`. `seen` tells the error what stood there instead. Raises WaitedTooLongError."""
    end = time.monotonic() + timeout
    pause = FIRST_PAUSE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            told = f"\n{seen()}" if seen is not None else f" (last answer: {found!r})"
            raise WaitedTooLongError(f"{what}: not within {timeout:g} s{told}")
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)
