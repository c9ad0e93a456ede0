"""How many evictions a plan may still begin, and which pods it may evict at all. Pure.

Every eviction stands as a record in its plan's status *before* the API server is asked for it. A process that dies between
the two has counted one that did not happen; it can never have evicted one that is not counted. What a record costs is taken
back when the API server is known to have refused it and the plan ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from berth_api.annotations import SCHEDULER
from berth_api.packing_plan import EvictionRecord, PackingPlan, PlannedEviction, Trigger
from berth_api.packing_policy import Budgets, PackingPolicySpec
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_operator.budgets import WINDOW, workload_name
from berth_operator.policy_in_force import resting_until


class Allowance:
    """What is left of a policy's limits for one plan; `take` uses it up."""

    def __init__(
        self,
        budgets: Budgets,
        own: Iterable[EvictionRecord],
        others: Iterable[EvictionRecord],
        foreign: Iterable[EvictionRecord],
        now: datetime,
    ) -> None:
        own = tuple(own)
        recent = [r for r in (*own, *others) if now - r.at < WINDOW]
        self._budgets = budgets
        self._in_plan = budgets.moves_per_plan - len(own)
        self._in_hour = budgets.moves_per_hour - len(recent)
        self._spent = Counter(r.workload for r in (*recent, *(r for r in foreign if now - r.at < WINDOW)))

    def take(self, eviction: PlannedEviction) -> str:
        """Empty when the eviction is within every limit, and counted; else which limit it would pass."""
        workload = workload_name(eviction.workload)
        if self._in_plan <= 0:
            return f"{self._budgets.moves_per_plan} moves per plan"
        if self._in_hour <= 0:
            return f"{self._budgets.moves_per_hour} moves per hour"
        if self._spent[workload] >= self._budgets.moves_per_workload:
            return f"{self._budgets.moves_per_workload} moves of {workload} per hour"
        self._in_plan -= 1
        self._in_hour -= 1
        self._spent[workload] += 1
        return ""


def why_not_evict(pod: Pod, plan: PackingPlan, policy: PackingPolicySpec, now: datetime) -> str:
    """Empty when the pod may be evicted as things stand. A pod that is going away already needs no permission."""
    if pod.terminating:
        return ""
    if pod.scheduler != SCHEDULER and plan.spec.trigger is not Trigger.FALLBACK:
        return f"its scheduler is {pod.scheduler}"
    for reason in pod.immovable:
        if not (reason is Reason.NO_CONTROLLER and policy.move_standalone_pods):
            return reason.value
    if plan.spec.trigger not in (Trigger.PERSON, Trigger.FALLBACK):
        until = resting_until(pod, policy.rest_seconds)
        if until is not None and now < until:
            return f"{Reason.RESTING.value} until {until:%Y-%m-%dT%H:%M:%SZ}"
    return ""
