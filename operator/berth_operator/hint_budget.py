"""What language models may cost in a day: calls and tokens, counted before a question is sent and kept across restarts.

A question is charged with the most that it can cost, and what it did not use is given back after the answer; so whoever crashes
in between has paid, and a process that crashes again and again cannot spend more than a day's budget. A day is one of UTC.
No namespace has more than a share of the calls, so that one tenant's flood of hints leaves the others theirs. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import msgspec

LEAST_SHARE = 0.25
"""Of a day's calls, for one namespace; more where fewer than four may ask."""
MAX_NAMESPACES = 256


class Limits(msgspec.Struct, frozen=True):
    calls: int
    tokens: int


class Spent(msgspec.Struct):
    """As it is kept: JSON."""

    day: str = ""
    calls: int = 0
    tokens: int = 0
    by_namespace: dict[str, int] = {}
    """Calls."""


class Charge(msgspec.Struct, frozen=True):
    day: str
    namespace: str
    tokens: int


class DailyBudget:
    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self._limits = limits
        self._now = now
        self._spent = Spent(self._today())

    def load(self, kept: str | None) -> None:
        """What was spent before this process began. What cannot be read counts as everything: better silent than dear."""
        if kept is None:
            self._spent = Spent(self._today())
            return
        try:
            self._spent = msgspec.json.decode(kept, type=Spent)
        except (msgspec.MsgspecError, RecursionError):
            self._spent = Spent(self._today(), self._limits.calls, self._limits.tokens)

    def text(self) -> str:
        return msgspec.json.encode(self._spent).decode()

    def refusal(self, namespace: str, tokens: int, namespaces: int) -> str | None:
        """Why a question that may cost so much is not asked today; None: it may be. namespaces: that may ask."""
        spent = self._current()
        if spent.calls >= self._limits.calls:
            return "DailyCalls"
        if spent.tokens + tokens > self._limits.tokens:
            return "DailyTokens"
        share = max(LEAST_SHARE, 1 / max(namespaces, 1))
        if self.calls_of(namespace) >= math.ceil(share * self._limits.calls):
            return "NamespaceShare"
        return None

    def calls_of(self, namespace: str) -> int:
        return self._current().by_namespace.get(namespace, 0)

    def charge(self, namespace: str, tokens: int) -> Charge:
        spent = self._current()
        spent.calls += 1
        spent.tokens += tokens
        if namespace in spent.by_namespace or len(spent.by_namespace) < MAX_NAMESPACES:
            spent.by_namespace[namespace] = spent.by_namespace.get(namespace, 0) + 1
        return Charge(spent.day, namespace, tokens)

    def settle(self, charge: Charge, tokens: int | None) -> None:
        """tokens: that it cost; None: not known, so it stays the most that it can have."""
        spent = self._current()
        if tokens is not None and spent.day == charge.day:
            spent.tokens = max(spent.tokens - charge.tokens + tokens, 0)

    def give_back(self, charge: Charge) -> None:
        """The question was not sent."""
        spent = self._current()
        if spent.day == charge.day:
            spent.calls -= 1
            spent.tokens -= charge.tokens
            spent.by_namespace[charge.namespace] = max(self.calls_of(charge.namespace) - 1, 0)

    @property
    def left(self) -> Limits:
        spent = self._current()
        return Limits(max(self._limits.calls - spent.calls, 0), max(self._limits.tokens - spent.tokens, 0))

    def _current(self) -> Spent:
        today = self._today()
        if self._spent.day != today:
            self._spent = Spent(today)
        return self._spent

    def _today(self) -> str:
        return self._now().date().isoformat()
