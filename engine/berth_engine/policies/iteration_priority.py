"""Priorities between passes: what vLLM and SGLang do, at its best.

Continuous batching and chunked prompts in the order of priority, then arrival. A waiting request of higher priority takes the
place of a running one at the next pass (as SGLang does, and as vLLM would with a scheduler class of a few lines), by pausing
it: its keys and values stay, which is kinder than the recomputation of either. Nothing stops within a pass.
"""

from __future__ import annotations

from berth_engine.batch import Pass
from berth_engine.policies.forming import chunked
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits


class IterationPriority:
    name = "iteration-priority"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        if roster.running:
            return roster.running
        # sorting is stable: among equals admitted ones come first, then those who came first
        first = sorted(roster.idle(), key=lambda request: -request.priority)
        return chunked(roster, roster.first(first, self.limits.max_batch), self.limits, now)
