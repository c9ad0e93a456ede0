"""A live cluster as a person may have it changed: the policy in force says whose pods may move, and how many.

What `plan --apply` writes is carried out under a PackingPolicy, so it is planned under the same one: pods out of its scope, at
rest, or of workloads whose moves of the hour are spent stay where they are, and a plan that passes a limit is cut, exactly as
the planning loop does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from berth_api.annotations import SCHEDULER
from berth_cli.exits import CommandError
from berth_cluster.snapshot import Snapshot
from berth_operator.budgets import MovesLeft, moves_left
from berth_operator.plan_cutting import cut_to_budget
from berth_operator.policy_in_force import PoliciesInForce, PolicyInForce, scoped
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan

if TYPE_CHECKING:
    from berth_api.packing_plan import PackingPlan
    from berth_api.packing_policy import PackingPolicy


@dataclass(frozen=True)
class UnderPolicy:
    policy: PolicyInForce
    view: Snapshot
    """The cluster as the policy lets it be planned."""
    left: MovesLeft
    policies: tuple[PackingPolicy, ...] = ()
    """All of the cluster, for what they say of hints."""

    @property
    def sentence(self) -> str:
        name = f"policy {self.policy.name}" if self.policy.name else "the built-in defaults (no PackingPolicy)"
        return f"Under {name}: at most {self.left.in_plan} moves now, {self.left.spent_in_hour} made in the last hour."

    def limited(self, asked: PlanOptions) -> PlanOptions:
        """The same question with no more moves than are left, and hints as the policies have them."""
        most = asked.caps.max_moves
        caps = replace(asked.caps, max_moves=self.left.in_plan if most is None else min(most, self.left.in_plan))
        return replace(asked, caps=caps, policies=self.policies)

    def cut(self, plan: Plan, *, consolidate: bool) -> Plan:
        return cut_to_budget(plan, self.left, self.policy.spec.budgets, gains_pods=not consolidate).plan


def under_policy(
    snapshot: Snapshot,
    policies: Sequence[PackingPolicy],
    plans: Sequence[PackingPlan],
    named: str | None,
    now: datetime,
) -> UnderPolicy:
    """named: which policy; else that of the most important waiting pod, else the oldest. Raises CommandError."""
    in_force = PoliciesInForce(policies)
    policy = _of_most_important(snapshot, in_force) if named is None else in_force.named(named)
    if policy is None:
        known = ", ".join(p.name for p in in_force.all if p.name) or "none: the built-in defaults hold"
        raise CommandError(f"UnknownPolicy: there is no PackingPolicy {named}", hint=f"Policies: {known}.")
    left = moves_left(plans, policy.name, policy.spec.budgets, now)
    view = scoped(snapshot, in_force, policy, now, left.spent_workloads)
    return UnderPolicy(policy, view, left, in_force.objects)


def _of_most_important(snapshot: Snapshot, in_force: PoliciesInForce) -> PolicyInForce:
    waiting = sorted((p for p in snapshot.pods if p.is_pending and p.scheduler == SCHEDULER), key=lambda p: -p.priority)
    return next((found for pod in waiting if (found := in_force.of(pod)) is not None), in_force.all[0])
