"""Room that an active plan keeps is spent by nobody else, and only while the plan is active."""

from __future__ import annotations

from datetime import timedelta

from berth_scheduling.answers import Outcome

from .builders import START, Stage, node, plan, pod


def test_without_a_plan_every_node_offered_is_returned() -> None:
    full = pod("full", gpu=8, on="n1")
    stage = Stage(node("n1"), node("n2"), full)
    answer = stage.filter(pod("a", gpu=8), ["n1", "n2", "never-heard-of"])
    assert answer.nodes == ["n1", "n2", "never-heard-of"]  # kube-scheduler has checked room; our count may be late
    assert answer.outcome is Outcome.ALL


def test_kept_room_is_refused_to_others_and_given_to_those_it_is_kept_for() -> None:
    stage = Stage(node("n1"), node("n2", gpu=4))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=8))

    other = stage.filter(pod("other", gpu=4))
    assert other.nodes == ["n2"]
    assert other.unresolvable == {"n1": "kept for plan p1"}
    assert other.failed == {}

    meant = stage.filter(pod("big-x7", "big", gpu=8))
    assert meant.nodes == ["n1"]
    assert meant.outcome is Outcome.PLANNED


def test_what_is_free_beside_the_kept_room_may_be_used() -> None:
    stage = Stage(node("n1", gpu=8))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=4))
    assert stage.filter(pod("a", gpu=4)).nodes == ["n1"]
    assert stage.filter(pod("b", gpu=4)).nodes == []  # a was approved there


def test_room_lapses_at_the_deadline_without_anybody_saying_so() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=8).until(START + timedelta(seconds=60)))
    stage.seconds = 59.9
    assert stage.filter(pod("a", gpu=1)).nodes == []
    stage.seconds = 60.0
    assert stage.filter(pod("a", gpu=1)).nodes == ["n1"]
    assert stage.scheduler.active_plan_uids == ()
