"""Who may preempt, and where: `candidates` are kube-scheduler's, with the victims it chose."""

from __future__ import annotations

from msgspec.structs import replace

from berth_cluster.snapshot import PodSpec
from berth_scheduling.answers import Outcome

from .builders import Stage, node, plan, pod

LOW = pod("low", "batch", gpu=8, on="n1")
HIGH = pod("high", "serve", gpu=8, priority=100)


def test_with_a_live_leader_the_plan_acts() -> None:
    answer = Stage(node("n1"), LOW).preempt(HIGH, n1=[LOW])
    assert answer.nodes == {}
    assert answer.outcome is Outcome.LEFT_TO_PLAN


def test_without_a_leader_the_stock_choice_stands() -> None:
    assert Stage(node("n1"), LOW, leader=False).preempt(HIGH, n1=[LOW]).nodes == {"n1": ["uid-low"]}


def test_what_no_plan_can_serve_is_not_left_to_one() -> None:
    stage = Stage(node("n1"), LOW)
    foreign = pod("high", gpu=8, priority=100, scheduler="other")
    assert stage.preempt(foreign, n1=[LOW]).nodes == {"n1": ["uid-low"]}
    claims = replace(HIGH, spec=replace(PodSpec(HIGH.spec.requests), unmodelled=("asks for devices by claims",)))
    assert stage.preempt(claims, n1=[LOW]).nodes == {"n1": ["uid-low"]}


def test_preemption_policy_never_evicts_nobody() -> None:
    polite = pod("high", "serve", gpu=8, priority=100, never=True)
    answer = Stage(node("n1"), LOW, leader=False).preempt(polite, n1=[LOW])
    assert answer.nodes == {}
    assert answer.outcome is Outcome.NEVER_PREEMPTS


def test_no_victims_go_for_room_that_is_kept_for_others_of_the_same_priority() -> None:
    other = pod("other", "batch", gpu=8, on="n2")
    stage = Stage(node("n1"), node("n2"), LOW, other, leader=False)
    stage.plan(plan("p1").evicts(LOW).places("peer", 1, on="n1", gpu=8, priority=100))
    answer = stage.preempt(HIGH, n1=[LOW], n2=[other])
    assert answer.nodes == {"n2": ["uid-other"]}
    assert answer.outcome is Outcome.REDUCED
    assert stage.preempt(HIGH, n1=[LOW]).outcome is Outcome.NONE_LEFT


def test_room_kept_for_lower_priority_does_not_stop_it() -> None:
    stage = Stage(node("n1"), LOW, leader=False)
    stage.plan(plan("p1").evicts(LOW).places("humble", 1, on="n1", gpu=8, priority=1))
    assert stage.preempt(HIGH, n1=[LOW]).nodes == {"n1": ["uid-low"]}


def test_a_candidate_without_victims_passes_unless_we_keep_the_room() -> None:
    stage = Stage(node("n1"), node("n2"), leader=False)
    stage.plan(plan("p1").places("peer", 1, on="n1", gpu=8, priority=100))
    assert stage.preempt(HIGH, n1=[], n2=[]).nodes == {"n2": []}


def test_victims_make_room_beside_what_is_kept() -> None:
    stage = Stage(node("n1"), LOW, leader=False)
    stage.plan(plan("p1").evicts(LOW).places("peer", 1, on="n1", gpu=4, priority=100))
    half = pod("half", "serve", gpu=4, priority=100)
    assert stage.preempt(half, n1=[LOW]).nodes == {"n1": ["uid-low"]}


def test_only_what_is_kept_stops_a_candidate() -> None:
    unseen = pod("unseen", "batch", gpu=8, on="n1")  # a victim that our cache has not been told of
    stage = Stage(node("n1"), pod("gone", "batch", gpu=8, on="n1"), leader=False)
    stage.plan(plan("p1").places("peer", 1, on="n1", cpu=4, priority=100))
    assert stage.preempt(HIGH, n1=[unseen]).nodes == {"n1": ["uid-unseen"]}
