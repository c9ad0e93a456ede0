"""Taking a plan up: whose turn it is, whether it still fits the cluster, and whether its room is kept everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from berth_api.packing_plan import Outcome, PackingPlan, PlanCondition, Trigger
from berth_api.packing_policy import Mode, PackingPolicySpec
from berth_operator.execution_turn import GRACE_SECONDS, Turn
from berth_operator.plan_progress import EXECUTING, PROPOSED, RESERVING
from berth_operator.quiet_hours import quiet_until
from berth_operator.walking import budget_passed_by, has_purpose


def in_turn(
    plans: Iterable[PackingPlan], now: datetime, policy_of: Callable[[PackingPlan], PackingPolicySpec]
) -> PackingPlan | None:
    """The one plan that is carried out, or that would be next: one taken up already, else the oldest that may begin."""
    open_plans = [p for p in plans if not p.is_finished and (p.is_approved or _may_begin(p, now, policy_of(p)))]
    return min(open_plans, key=lambda p: (not p.is_approved, _age(p)), default=None)


def _may_begin(plan: PackingPlan, now: datetime, policy: PackingPolicySpec) -> bool:
    spec = plan.spec
    wanted = spec.approved and not spec.cancelled and now < spec.deadline
    return wanted and not _only_planned(plan, policy) and quiet_until(policy.budgets.quiet_hours, now) is None


def _only_planned(plan: PackingPlan, policy: PackingPolicySpec) -> bool:
    """DryRun holds for what planning finds. Ordinary preemption is carried out: without Berth it would have been."""
    return policy.mode is Mode.DRY_RUN and plan.spec.trigger not in (Trigger.PERSON, Trigger.FALLBACK)


def _age(plan: PackingPlan) -> tuple[float, str]:
    created = plan.metadata.creation_timestamp
    return (0.0 if created is None else created.timestamp()), plan.metadata.name


def admit(turn: Turn) -> None:
    """Sets Approved, from when on extenders keep its room; or says what it waits for; or ends it."""
    plan, view, draft = turn.plan, turn.view, turn.draft
    draft.phase = draft.phase or PROPOSED
    if plan.spec.cancelled:
        turn.finish(Outcome.CANCELLED, "cancelled before it began")
        return
    if _only_planned(plan, view.policy):
        turn.say("is not carried out: its policy only plans (mode DryRun)")
        return
    if not plan.spec.approved:
        turn.say("waits for a person: `kubectl berth plan --approve`")
        return
    if view.ahead:
        turn.say(f"waits until plan {view.ahead} has ended")
        return
    quiet = quiet_until(view.policy.budgets.quiet_hours, view.now)
    if quiet is not None:
        turn.say(f"waits for the end of the quiet hours at {quiet:%Y-%m-%d %H:%M} UTC")
        return
    if not turn.has_extender() or not _fits_still(turn):
        return
    draft.set_condition(PlanCondition.APPROVED, "TakenUp", "carried out from here on; extenders keep its room")
    draft.phase = RESERVING
    turn.say("waits until every extender keeps its room")
    turn.tell("PlanTakenUp", f"carrying out: {plan.spec.summary}")


def _fits_still(turn: Turn) -> bool:
    waves = range(len(turn.plan.spec.waves))
    if not any(has_purpose(turn, wave) for wave in waves):
        turn.say("none of the pods that it is to place waits any more")
        if turn.lasts("no purpose") >= GRACE_SECONDS:
            turn.finish(Outcome.EXPIRED, "none of the pods that it is to place waits any more")
        return False
    limit = budget_passed_by(turn, 0)
    if limit:
        turn.finish(Outcome.BUDGET_EXHAUSTED, f"its first wave would pass the limit of {limit}")
        return False
    found = turn.obstacles(range(len(turn.places)))
    lasting = [obstacle for obstacle in found if not obstacle.passes]
    if lasting:
        turn.say(lasting[0].message)
        if turn.lasts("obstacle") >= GRACE_SECONDS:
            turn.finish(Outcome.EXPIRED, f"the cluster has changed since it was planned: {lasting[0].message}")
    elif found:
        turn.say(f"waits for pods that are leaving: {found[0].message}")
    return not found


def reserve(turn: Turn) -> None:
    """Sets Reserved and Executing once every live extender has said that it keeps the room."""
    if turn.plan.spec.cancelled:
        turn.finish(Outcome.CANCELLED, "cancelled before it began")
    elif turn.is_steered():
        extenders = len(turn.view.extenders)
        kept = f"kept by {extenders} extender{'s' if extenders > 1 else ''}"
        turn.draft.set_condition(PlanCondition.RESERVED, "Acknowledged", kept)
        turn.draft.set_condition(PlanCondition.EXECUTING, "Walking", "")
        turn.draft.phase = EXECUTING
        turn.say(kept)
