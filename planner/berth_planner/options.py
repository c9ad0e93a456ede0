"""How to plan: whose pods may move, for how long to look, and how much may be disturbed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from berth_api.packing_policy import PackingPolicy
from berth_intent.parser import parse
from berth_planner.packing import Caps
from berth_planner.shapes import Movable
from berth_scheduling.understanding import Improved, Parse, no_better
from berth_solver.options import DEFAULT_BUDGET_SECONDS
from berth_solver.solution import Improvement

DEFAULT_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """budget: wall-clock seconds for solving; reading the snapshot into a problem and naming pods come on top."""

    movable: Movable = "all"
    budget: float = DEFAULT_BUDGET_SECONDS
    seed: int = 0
    threads: int = 2
    pending_only: bool = False
    """Place pending pods, disturb nobody."""
    consolidate: bool = False
    """Use the fewest nodes; the caps bound what that may disturb."""
    caps: Caps = field(default_factory=Caps)
    at_once: int = DEFAULT_AT_ONCE
    """Most pods that independent waves, carried out together, evict at the same time; 1: one wave after the other."""
    policies: tuple[PackingPolicy, ...] = ()
    """What they say of hints is heeded; all else of them is the operator's."""
    parse: Parse = parse
    improved: Improved = no_better
    clock: Callable[[], float] = time.perf_counter
    on_improvement: Callable[[Improvement], None] | None = None
