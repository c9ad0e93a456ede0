"""First come, first served, in batches that run to completion, as Text Generation Inference's early batcher did.

Up to `max_batch` requests in the order of arrival; their prompts whole in one pass, then one token each until all are done.
Priorities are not looked at.
"""

from __future__ import annotations

from berth_engine.batch import Pass
from berth_engine.request import Request, State
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits


class FcfsBatches:
    name = "fcfs-batches"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._batch: list[Request] = []

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        if roster.running:
            return roster.running
        self._batch = [request for request in self._batch if request.state is not State.FINISHED]
        if not self._batch:
            self._batch = roster.first(roster.idle(), self.limits.max_batch)
        victims = list(reversed(roster.admitted.values()))
        return roster.open([(request, request.remaining) for request in self._batch], now, victims)
