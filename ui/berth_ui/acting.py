"""What a person may do from the page: let a plan go ahead, or stop it. As themselves: the API server decides, and its audit log names them.

The same is refused as by `berth plan --approve` and `--cancel`. What was asked for twice is asked for once: the answer is the plan as it
then stands.
"""

from __future__ import annotations

from collections.abc import Iterable

from berth_api.packing_plan import PackingPlan, Trigger
from berth_api.packing_policy import Mode, PackingPolicy
from berth_api.reasons import Reason
from berth_ui.callers import Caller, Callers, RefusedError
from berth_ui.plan_views import plan_detail
from berth_ui.wire import PlanDetail


async def approve(callers: Callers, caller: Caller, plan: PackingPlan, policies: Iterable[PackingPolicy]) -> PlanDetail:
    """Raises RefusedError."""
    name = plan.metadata.name
    if plan.is_finished:
        raise RefusedError(409, Reason.PLAN_FINISHED, f"plan {name} has ended: {plan.status.phase}; make another")
    if plan.spec.cancelled:
        raise RefusedError(409, Reason.PLAN_CANCELLED, f"plan {name} was cancelled; make another")
    if is_only_planned(plan, policies):
        raise RefusedError(
            409,
            Reason.DRY_RUN,
            f"plan {name} belongs to policy {plan.spec.policy} of mode DryRun, which carries nothing out: "
            "set its spec.mode to Manual or Automatic",
        )
    return await _change(callers, caller, plan, "approved")


async def cancel(callers: Callers, caller: Caller, plan: PackingPlan) -> PlanDetail:
    """Raises RefusedError."""
    if plan.is_finished:
        name = plan.metadata.name
        raise RefusedError(409, Reason.PLAN_FINISHED, f"plan {name} has ended already: {plan.status.phase}")
    return await _change(callers, caller, plan, "cancelled")


def is_only_planned(plan: PackingPlan, policies: Iterable[PackingPolicy]) -> bool:
    if not plan.spec.policy or plan.spec.trigger in (Trigger.PERSON, Trigger.FALLBACK):
        return False
    return any(p.metadata.name == plan.spec.policy and p.spec.mode is Mode.DRY_RUN for p in policies)


async def _change(callers: Callers, caller: Caller, plan: PackingPlan, field: str) -> PlanDetail:
    if not getattr(plan.spec, field):
        await callers.change_plan(caller, plan.metadata.name, plan.metadata.uid, {field: True})
        plan = plan.model_copy(update={"spec": plan.spec.model_copy(update={field: True})})
    return plan_detail(plan, may_act=caller.may.act)
