"""Who may wait: a bounded queue for each class, and an honest word to those who may not.

A class is a priority value. Its queue is bounded by requests and by prompt tokens; an urgent class never fills up because of
another. `Retry-After` is what the class needed lately for as many requests as wait in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from berth_engine.request import Request

MEMORY = 64  # starts a class remembers to tell its pace
LONGEST_RETRY = 60.0  # seconds
CLASSES = 64  # different priorities that may wait at once: the least wait for each costs a queue of its own


class Refused(Exception):  # noqa: N818 - it is an answer to a client, not a fault
    """A request that is not taken in. `status` is the HTTP status, `retry_after` seconds, `reason` a CamelCase code."""

    def __init__(self, reason: str, message: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.reason, self.message, self.status, self.retry_after = reason, message, status, retry_after


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """For each class: requests and prompt tokens that may wait."""

    requests: int = 1024
    tokens: int = 1_000_000


class Admission:
    """Counts what waits; O(waiting) a request."""

    def __init__(self, limits: QueueLimits = QueueLimits()) -> None:
        self.limits = limits
        self._starts: dict[int, deque[float]] = {}

    def started(self, request: Request, now: float) -> None:
        """Note that a request of the class began: the pace that Retry-After is told from."""
        if request.priority not in self._starts and len(self._starts) >= CLASSES:
            self._starts.pop(next(iter(self._starts)))
        self._starts.setdefault(request.priority, deque(maxlen=MEMORY)).append(now)

    def check(self, request: Request, waiting: Iterable[Request], now: float) -> None:
        """Raise Refused(QueueFull) if the request's class is full."""
        before = [other for other in waiting if other.priority == request.priority]
        tokens = sum(len(other.prompt) for other in before)
        if len(before) < self.limits.requests and (not before or tokens + len(request.prompt) <= self.limits.tokens):
            return
        retry = self._retry_after(request.priority, len(before), now)
        raise Refused(
            "QueueFull",
            f"{len(before)} requests of priority {request.priority} with {tokens} prompt tokens wait already; "
            f"try again in {retry:.0f} s, or send to another replica",
            429,
            retry,
        )

    def _retry_after(self, priority: int, waiting: int, now: float) -> float:
        starts = self._starts.get(priority)
        if not starts or len(starts) < 2:
            return 1.0
        pace = (now - starts[0]) / len(starts)  # seconds for each start
        return min(LONGEST_RETRY, max(1.0, pace * waiting))
