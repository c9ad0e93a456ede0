"""Keeps Python's collector out of the way of requests.

The cache of a large cluster is a million small objects that hardly ever form cycles; a full collection that walks them is a
pause of tenths of a second in the middle of a request. So what has survived is frozen (taken out of the collector's sight)
once the cluster is known and every few minutes after that, at a moment of our choosing. Reference counts free frozen objects
as ever; only a cycle among them would stay, and the cache makes none.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from berth_extender.metrics import Metrics

YOUNG_THRESHOLD = 50_000
"""Allocations between two collections of the youngest generation (Python's default of 700 means several a request)."""
FREEZE_SECONDS = 120.0


class Garbage:
    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.perf_counter) -> None:
        self._metrics = metrics
        self._clock = clock
        self._began = 0.0
        self._next = clock() + FREEZE_SECONDS
        gc.set_threshold(YOUNG_THRESHOLD, 10, 10)
        gc.callbacks.append(self._watch)

    def freeze(self) -> None:
        """Collects once, then takes all that is left out of the collector's sight."""
        gc.collect()
        gc.freeze()
        self._next = self._clock() + FREEZE_SECONDS

    def look(self) -> None:
        """Call about once a second."""
        if self._clock() >= self._next:
            self.freeze()

    def close(self) -> None:
        gc.callbacks.remove(self._watch)
        gc.unfreeze()

    def _watch(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = self._clock()
        else:
            self._metrics.collection.labels(str(info["generation"])).observe(self._clock() - self._began)
