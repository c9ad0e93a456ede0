"""First come, first served, with continuous batching and chunked prompts: what vLLM does without priorities.

After every pass the places of those who ended are filled in the order of arrival. Decisions fall between passes only.
"""

from __future__ import annotations

from berth_engine.batch import Pass
from berth_engine.policies.forming import chunked
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits


class FcfsContinuous:
    name = "fcfs-continuous"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        return roster.running or chunked(roster, roster.first(roster.idle(), self.limits.max_batch), self.limits, now)
