"""Whose turn it is: one plan at a time, whatever becomes of the others meanwhile."""

from __future__ import annotations

from datetime import timedelta

from berth_api.packing_plan import PackingPlan, PlanCondition
from berth_api.packing_policy import Mode, PackingPolicySpec
from berth_api.resource import Condition
from berth_operator.admission import in_turn

from .world import NOW, plan_object


def taken_up(plan: PackingPlan) -> PackingPlan:
    approved = Condition(type=PlanCondition.APPROVED, status="True", reason="TakenUp", last_transition_time=NOW)
    return plan.model_copy(update={"status": plan.status.model_copy(update={"conditions": [approved]})})


def turn_of(*plans: PackingPlan, mode: Mode = Mode.AUTOMATIC) -> str | None:
    found = in_turn(plans, NOW, lambda plan: PackingPolicySpec(mode=mode))
    return None if found is None else found.metadata.name


OLDER = plan_object("older", created=NOW - timedelta(seconds=60))
NEWER = plan_object("newer", created=NOW - timedelta(seconds=30))


def test_the_oldest_begins() -> None:
    assert turn_of(NEWER, OLDER) == "older"


def test_one_that_was_taken_up_goes_on_though_an_older_one_is_approved_now() -> None:
    assert turn_of(OLDER, taken_up(NEWER)) == "newer"


def test_one_that_was_taken_up_is_seen_through_whatever_its_policy_says_now() -> None:
    assert turn_of(NEWER, taken_up(OLDER), mode=Mode.DRY_RUN) == "older"


def test_what_may_not_begin_is_not_waited_for() -> None:
    proposed = plan_object("proposed", approved=False, created=NOW - timedelta(hours=1))
    late = plan_object("late", created=NOW - timedelta(hours=1), deadline=NOW)
    assert turn_of(proposed, late, NEWER) == "newer"
    assert turn_of(OLDER, mode=Mode.DRY_RUN) is None
