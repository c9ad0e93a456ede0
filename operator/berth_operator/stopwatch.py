"""For how long situations have held, by a monotonic clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Stopwatches:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}

    def watch(self, situations: Iterable[str]) -> None:
        """These hold now; those that are not among them any more begin anew when they hold again."""
        now = self._clock()
        self._since = {situation: self._since.get(situation, now) for situation in situations}

    def read(self) -> dict[str, float]:
        """Seconds, by situation."""
        now = self._clock()
        return {situation: now - since for situation, since in self._since.items()}
