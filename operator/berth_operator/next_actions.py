"""What to do next for a plan: a pure function of the plan and of what stands in the cluster.

    proposed -> Approved -> Reserved, Executing -> wave by wave, step by step -> Finished

It remembers nothing. Whatever process asks, whenever, gets the answer that fits what stands: an eviction is done when its
pod is gone, a placement when its pods have arrived. So an executor may die at any point, and the next one goes on.
"""

from __future__ import annotations

from berth_api.packing_plan import Outcome, PackingPlan, PlanCondition
from berth_operator.admission import admit, reserve
from berth_operator.execution_turn import Turn
from berth_operator.execution_view import Decision, View
from berth_operator.relieving import why_unready
from berth_operator.walking import walk


def next_actions(plan: PackingPlan, view: View) -> Decision:
    """The status to write, and then the actions to perform. A finished plan has neither."""
    if plan.is_finished:
        return Decision(plan.status)
    turn = Turn(plan, view)
    taken_up = turn.draft.is_true(PlanCondition.APPROVED)
    if view.now >= plan.spec.deadline:
        _end_at_deadline(turn, taken_up)
    elif not taken_up:
        admit(turn)
    elif not turn.draft.is_true(PlanCondition.RESERVED):
        reserve(turn)
    else:
        walk(turn)
    return turn.decision()


def _end_at_deadline(turn: Turn, taken_up: bool) -> None:
    if not taken_up:
        turn.finish(Outcome.EXPIRED, "was not taken up before its deadline")
        return
    blocked = [
        (turn.arrivals.standing[uid], refusal)
        for uid, refusal in turn.view.refused.items()
        if refusal.by_budget and uid in turn.arrivals.standing
    ]
    if blocked:
        pod, refusal = blocked[0]
        turn.finish(Outcome.EVICTION_BLOCKED, f"{pod.key} could not be evicted before the deadline: {refusal.message}")
    elif unready := why_unready(turn):
        turn.finish(Outcome.REPLACEMENT_NOT_READY, unready)
    else:
        turn.finish(Outcome.DEADLINE_EXCEEDED, f"its deadline has passed; at last it {turn.draft.message or 'waited'}")
