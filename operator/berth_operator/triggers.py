"""When to plan: once things have been quiet for a while, or when they will not become quiet; and on the policy's clock.

A burst of pods is one question, not many: planning waits until no pod of ours has come, been refused or been bound for
`QUIET_SECONDS`, and no longer than `LONGEST_SECONDS` from the moment that the first of them asked. All times are seconds of
one monotonic clock that is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from berth_api.packing_plan import Trigger
from berth_api.packing_policy import PackingPolicySpec

QUIET_SECONDS = 2.0
LONGEST_SECONDS = 10.0


@dataclass(slots=True)
class Debounce:
    """Turns a burst of wishes into one, `quiet` seconds after the last stir, at most `longest` after the first wish."""

    quiet: float = QUIET_SECONDS
    longest: float = LONGEST_SECONDS
    _first: float | None = None
    _last: float = float("-inf")

    def wanted(self, now: float) -> None:
        """Somebody needs a plan. Said again, it changes nothing."""
        if self._first is None:
            self._first = now

    def stirred(self, now: float) -> None:
        """Things still move; by itself that is no reason to plan."""
        self._last = max(self._last, now)

    def due_at(self) -> float | None:
        """When it is time; None while nobody wants anything."""
        if self._first is None:
            return None
        return min(max(self._last, self._first) + self.quiet, self._first + self.longest)

    def is_due(self, now: float) -> bool:
        due = self.due_at()
        return due is not None and now >= due

    def is_quiet(self, now: float) -> bool:
        """Nothing has stirred lately: who has no node by now is not on the way to one."""
        return now - self._last >= self.quiet

    def taken(self) -> None:
        """The wish has been looked at."""
        self._first = None


@dataclass(slots=True)
class Timetable:
    """What policies ask for on the clock: planning every so often, and consolidation. Nothing is due at the start."""

    _last: dict[tuple[str, Trigger], float] = field(default_factory=dict)

    def due(self, policies: Mapping[str, PackingPolicySpec], now: float) -> tuple[str, Trigger] | None:
        """The policy and trigger that has waited longest past its time; None while none is due."""
        late = [
            (now - self._since(name, trigger, now) - period, name, trigger)
            for name, trigger, period in _periods(policies)
        ]
        over, name, trigger = max(late, default=(-1.0, "", Trigger.PERIOD))
        return (name, trigger) if over >= 0 else None

    def next_at(self, policies: Mapping[str, PackingPolicySpec], now: float) -> float | None:
        return min((self._since(n, t, now) + period for n, t, period in _periods(policies)), default=None)

    def taken(self, policy: str, trigger: Trigger, now: float) -> None:
        self._last[policy, trigger] = now

    def _since(self, policy: str, trigger: Trigger, now: float) -> float:
        return self._last.setdefault((policy, trigger), now)


def _periods(policies: Mapping[str, PackingPolicySpec]) -> list[tuple[str, Trigger, float]]:
    found: list[tuple[str, Trigger, float]] = []
    for name, spec in policies.items():
        if spec.triggers.period_seconds is not None:
            found.append((name, Trigger.PERIOD, float(spec.triggers.period_seconds)))
        if spec.consolidation.enabled:
            found.append((name, Trigger.CONSOLIDATION, float(spec.consolidation.period_seconds)))
    return found
