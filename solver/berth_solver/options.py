"""How to solve: time, seed, and which of the optional stages and caps apply."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from berth_solver.solution import Improvement

DEFAULT_BUDGET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """budget: wall-clock seconds for everything between the call and the answer, model building included."""

    budget: float = DEFAULT_BUDGET_SECONDS
    seed: int = 0
    threads: int = 2
    pending_only: bool = False
    """Place pending pods, disturb nobody."""
    consolidate: bool = False
    """Use the fewest nodes: asked for, it comes before disruption, which the caps of the problem then bound."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds, monotonic."""
    on_improvement: Callable[[Improvement], None] | None = None
    """Told of each better incumbent, from the solving thread."""
