"""When patience ends: ordinary preemption for a pod that planning did not serve, its freed room reserved by an ordinary plan.

kube-scheduler's own preemption is held back while a leader lives, so a pod must not wait for ever for a better answer. It is
served as the stock scheduler would (`stock_preemption`), whatever the policy's scope, and in DryRun too: without Berth it
would have been. Not in Manual mode, where a person decides; not for a pod that evicts nobody (`preemptionPolicy: Never`) or
one of a gang, for which room for one is no help; not while limits on moves or quiet hours forbid it, which hold for every
eviction of ours; and no budget of disruptions is broken. Nodes that an enforced wish of its hint rules out are no help either.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from berth_api.annotations import Why
from berth_api.packing_plan import Trigger
from berth_api.packing_policy import Mode
from berth_api.reasons import Reason
from berth_cluster.live import LiveCluster
from berth_cluster.snapshot import Pod, Snapshot
from berth_operator.budgets import MovesLeft, moves_left
from berth_operator.metrics import Metrics
from berth_operator.plan_cutting import cut_to_budget
from berth_operator.plan_writing import PlanWriter
from berth_operator.policy_in_force import DEFAULTS, PoliciesInForce, PolicyInForce, preemptable
from berth_operator.quiet_hours import quiet_until
from berth_operator.telling import PodTeller
from berth_operator.triggers import LONGEST_SECONDS
from berth_operator.waiting import WaitingPods
from berth_planner.enforced_wishes import closed_nodes
from berth_planner.plan import Plan
from berth_planner.stock_preemption import preemption_plan

RESCUE_RETRY_SECONDS = 60.0
"""A pod for which nothing could be done is looked at again after so long."""

MAX_TRIES_A_ROUND = 5
"""Each may take a while on a large cluster; the others have their turn in the next round."""

Result = Literal["written", "no-victims", "no-moves-left"]


class Patience:
    def __init__(
        self, cluster: LiveCluster, waiting: WaitingPods, writer: PlanWriter, teller: PodTeller, metrics: Metrics
    ) -> None:
        self._cluster = cluster
        self._waiting = waiting
        self._writer = writer
        self._teller = teller
        self._metrics = metrics

    async def rescue(self, policies: PoliciesInForce, at: float, now: datetime) -> bool:
        """Serve one pod whose patience has ended as the stock scheduler would. True when a plan was written.

        Raises ApiError.
        """
        tried = 0
        for pod, waited in self._waiting.to_rescue(at):
            policy = policies.of(pod)
            if not may_be_rescued(pod, waited, policy, looked_at=self._waiting.was_looked_at(pod.uid), now=now):
                continue
            if tried == MAX_TRIES_A_ROUND:
                break
            tried += 1
            self._waiting.rescue_tried(pod.uid, at + RESCUE_RETRY_SECONDS)
            if await self._serve(pod, waited, policy or DEFAULTS, policies, now):
                return True
        return False

    async def _serve(
        self, pod: Pod, waited: float, policy: PolicyInForce, policies: PoliciesInForce, now: datetime
    ) -> bool:
        left = moves_left(self._cluster.plans.values(), policy.name, policy.spec.budgets, now)
        plan, view, result = await rescue_plan(self._cluster.snapshot(), pod, policies, left, now)
        self._metrics.fallbacks.labels(result).inc()
        if plan is None:
            return False
        written = await self._writer.write(plan, view, policy, Trigger.FALLBACK, approved=True)
        if written is None:
            return False
        why = Why(
            code=Reason.FITS_AFTER_MOVES if plan.evictions else Reason.FITS_NOW,
            message=f"{pod.key} goes to {plan.placements[0].node} by ordinary preemption, after {waited:.0f} s",
            plan=written.name,
            position=1,
        )
        await self._teller.tell({pod.key: why}, {pod.key: pod}, policy.spec.plan_deadline_seconds)
        return True


def may_be_rescued(pod: Pod, waited: float, policy: PolicyInForce | None, *, looked_at: bool, now: datetime) -> bool:
    """waited: seconds. looked_at: planning has had its turn. policy None: nobody plans for this pod."""
    spec = (policy or DEFAULTS).spec
    planned_for = policy is not None and spec.triggers.unschedulable
    if pod.preemption_policy == "Never" or pod.gang is not None or pod.spec.unmodelled:
        return False
    if policy is not None and spec.mode is Mode.MANUAL:
        return False
    if waited < patience_seconds(policy) or (planned_for and not looked_at):
        return False
    return quiet_until(spec.budgets.quiet_hours, now) is None


def patience_seconds(policy: PolicyInForce | None) -> float:
    """Never less than planning needs for one answer."""
    spec = (policy or DEFAULTS).spec
    return max(spec.patience_seconds, LONGEST_SECONDS + spec.time_budget_seconds)


async def rescue_plan(
    snapshot: Snapshot, pod: Pod, policies: PoliciesInForce, left: MovesLeft, now: datetime
) -> tuple[Plan | None, Snapshot, Result]:
    """The plan, the snapshot that it was made on, and what came of it. In a thread: thousands of nodes take a while."""
    view = preemptable(snapshot, policies, now, left.spent_workloads)
    closed = await asyncio.to_thread(closed_nodes, snapshot, pod, policies.objects)
    plan = await asyncio.to_thread(preemption_plan, view, pod, allow_budget_violations=False, closed=closed)
    if plan is None:
        return None, view, "no-victims"
    spec = (policies.of(pod) or DEFAULTS).spec
    if cut_to_budget(plan, left, spec.budgets).reason:
        return None, view, "no-moves-left"
    return plan, view, "written"
