"""A plan's status while it is decided on: what was there, with what is new. `build` makes the object to be written."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from berth_api.packing_plan import (
    EvictionRecord,
    Outcome,
    PackingPlan,
    PackingPlanStatus,
    PlanCondition,
    PlannedEviction,
    StepStatus,
)
from berth_api.resource import Condition, find_condition, with_condition
from berth_operator.arrivals import Arrivals
from berth_operator.budgets import workload_name

PROPOSED, RESERVING, EXECUTING = "Proposed", "Reserving", "Executing"
MAX_MESSAGE = 1_024

StepState = Literal["Pending", "Evicting", "Placing", "Done", "Failed", "Skipped"]
ENDED: frozenset[StepState] = frozenset(("Done", "Failed", "Skipped"))
PLACED_ELSEWHERE = "PlacedElsewhere"
REPLACEMENT_NEVER_CAME = "ReplacementNeverCame"
NOTHING_TO_PLACE = "NothingToPlace"
ALREADY_PLACED = "AlreadyPlaced"
"""Reasons of steps that ended in another way than planned; only the last leaves nothing open."""


class StatusDraft:
    """Steps that have not begun are not in the status, so that it stays small."""

    def __init__(self, plan: PackingPlan, now: datetime) -> None:
        self._plan = plan
        self._now = now.replace(microsecond=0)
        self._exactly = now
        self._conditions = list(plan.status.conditions)
        self._steps = {(s.wave, s.step): s for s in plan.status.steps}
        self.records = {r.uid: r for r in plan.status.evictions}
        self.message = plan.status.message
        self.phase = plan.status.phase

    def is_true(self, condition: PlanCondition) -> bool:
        found = find_condition(self._conditions, condition)
        return found is not None and found.status == "True"

    def set_condition(
        self, condition: PlanCondition, reason: str, message: str, status: Literal["True", "False"] = "True"
    ) -> None:
        new = Condition(
            type=condition,
            status=status,
            reason=reason,
            message=message[:MAX_MESSAGE],
            last_transition_time=self._now,
            observed_generation=self._plan.metadata.generation,
        )
        self._conditions = with_condition(self._conditions, new)

    def finish(self, outcome: Outcome, message: str) -> None:
        if self.is_true(PlanCondition.EXECUTING):
            self.set_condition(PlanCondition.EXECUTING, outcome.value, "", "False")
        self.set_condition(PlanCondition.FINISHED, outcome.value, message)
        self.phase = outcome.value
        self.message = message[:MAX_MESSAGE]

    @property
    def is_finished(self) -> bool:
        return self.is_true(PlanCondition.FINISHED)

    def state(self, wave: int, step: int) -> StepState:
        found = self._steps.get((wave, step))
        return "Pending" if found is None else found.state

    def reason(self, wave: int, step: int) -> str:
        found = self._steps.get((wave, step))
        return "" if found is None else found.reason

    def set_step(
        self, wave: int, step: int, state: StepState, reason: str = "", message: str = "", *, evicted: int, placed: int
    ) -> None:
        old = self._steps.get((wave, step))
        ended = state in ENDED
        self._steps[wave, step] = StepStatus(
            wave=wave,
            step=step,
            state=state,
            evicted=evicted,
            placed=placed,
            reason=reason,
            message=message[:MAX_MESSAGE],
            started=self._now if old is None else old.started,
            finished=self._now if ended else None,
        )

    def record(self, eviction: PlannedEviction) -> None:
        self.records[eviction.uid] = EvictionRecord(
            pod=eviction.pod, uid=eviction.uid, workload=workload_name(eviction.workload), at=self._exactly
        )

    def build(self, arrivals: Arrivals | None) -> PackingPlanStatus:
        """Without arrivals the counts stay as they were."""
        old = self._plan.status
        placed, planned = old.pods_placed, sum(p.count for p in self._plan.spec.placements)
        moves = [e for e in self._plan.spec.evictions if e.target is not None]
        moved = old.moves_done
        if arrivals is not None:
            placed = arrivals.placed
            moved = sum(e.uid in self.records and e.uid not in arrivals.standing for e in moves)
        return PackingPlanStatus(
            observed_generation=self._plan.metadata.generation,
            phase=self.phase,
            conditions=self._conditions,
            steps=[self._steps[at] for at in sorted(self._steps)],
            evictions=list(self.records.values()),
            pods_planned=planned,
            pods_placed=placed,
            moves_planned=len(moves),
            moves_done=moved,
            progress=f"placed {placed}/{planned}, moved {moved}/{len(moves)}",
            message=self.message,
        )
