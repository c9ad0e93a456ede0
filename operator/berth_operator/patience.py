"""When patience ends: ordinary preemption for a pod that planning did not serve, its freed room reserved by an ordinary plan.

kube-scheduler's own preemption is held back while a leader lives, so a pod must not wait for ever for a better answer. It is
served as the stock scheduler would (`stock_preemption`), whatever the policy's scope, and in DryRun too: without Berth it
would have been. Not in Manual mode, where a person decides; not for a pod that evicts nobody (`preemptionPolicy: Never`) or
one of a gang, for which room for one is no help; not while limits on moves or quiet hours forbid it, which hold for every
eviction of ours; and no budget of disruptions is broken.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Literal

from berth_api.packing_policy import Mode
from berth_cluster.snapshot import Pod, Snapshot
from berth_operator.budgets import MovesLeft
from berth_operator.plan_cutting import cut_to_budget
from berth_operator.policy_in_force import DEFAULTS, PoliciesInForce, PolicyInForce, preemptable
from berth_operator.quiet_hours import quiet_until
from berth_operator.triggers import LONGEST_SECONDS
from berth_planner.plan import Plan
from berth_planner.stock_preemption import preemption_plan

Result = Literal["written", "no-victims", "no-moves-left"]


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
    plan = await asyncio.to_thread(preemption_plan, view, pod, allow_budget_violations=False)
    if plan is None:
        return None, view, "no-victims"
    spec = (policies.of(pod) or DEFAULTS).spec
    if cut_to_budget(plan, left, spec.budgets).reason:
        return None, view, "no-moves-left"
    return plan, view, "written"
