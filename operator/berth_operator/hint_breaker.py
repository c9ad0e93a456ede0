"""Leaves a server alone that does not answer: after a few failures in a row for a minute, then for longer and longer.

After a pause one question is let through; its answer closes the breaker, its failure doubles the pause. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 5
"""In a row, that open it."""
FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 1_800.0


class Breaker:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._until = float("-inf")
        self._on_trial = False

    @property
    def is_open(self) -> bool:
        """Nothing is asked, or only the one question that finds out."""
        return self._on_trial or self._failures >= FAILURES or self._clock() < self._until

    def lets_through(self) -> bool:
        """Whether a question may be asked now. After a pause the first one that asks is the trial."""
        if self._clock() < self._until or self._on_trial:
            return False
        self._on_trial = self._failures >= FAILURES
        return True

    def answered(self) -> None:
        self._failures, self._pause, self._on_trial = 0, FIRST_PAUSE_SECONDS, False

    def failed(self, retry_after: float | None = None) -> None:
        """retry_after: seconds that the server asked for."""
        self._failures += 1
        self._on_trial = False
        pause = 0.0
        if self._failures >= FAILURES and self._clock() >= self._until:  # those under way at the same time fail once
            pause = self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        pause = max(pause, min(retry_after or 0.0, LONGEST_PAUSE_SECONDS))
        self._until = max(self._until, self._clock() + pause)

    def not_asked(self) -> None:
        """The question that was let through was not sent after all, or says nothing of the server."""
        self._on_trial = False
