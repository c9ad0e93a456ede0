"""Room that an active plan keeps is spent by nobody else, and only while the plan is active."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

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


def test_room_is_released_when_the_plan_finishes_or_is_deleted() -> None:
    stage = Stage(node("n1"))
    builder = plan("p1").places("big", 1, on="n1", gpu=8)
    stage.plan(builder)
    assert stage.scheduler.active_plan_uids == ("uid-p1",)
    assert stage.filter(pod("a", gpu=1)).nodes == []
    stage.plan(builder.finished())
    assert stage.filter(pod("a", gpu=1)).nodes == ["n1"]

    again = stage.plan(plan("p2").places("big", 1, on="n1", gpu=8))
    assert stage.filter(pod("a", gpu=1)).nodes == []
    stage.delete_plan(again)
    assert stage.filter(pod("a", gpu=1)).nodes == ["n1"]


def test_a_plan_that_is_only_proposed_keeps_nothing() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=8).proposed())
    assert stage.filter(pod("a", gpu=1)).nodes == ["n1"]


def test_places_are_counted_by_workload_and_request_since_names_change() -> None:
    stage = Stage(node("n1"), node("n2"))
    stage.plan(plan("p1").places("web", 2, on="n1", gpu=2))
    assert stage.filter(pod("web-1", "web", gpu=2)).outcome is Outcome.PLANNED
    assert stage.filter(pod("web-2", "web", gpu=2)).outcome is Outcome.PLANNED
    beyond = stage.filter(pod("web-3", "web", gpu=2))
    assert beyond.nodes == ["n1", "n2"]  # like any other: n1 has four free beside the two places
    other_request = stage.filter(pod("web-4", "web", gpu=6), ["n1"])
    assert other_request.nodes == []


def test_a_bare_pod_is_known_by_its_name() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("solo", 1, on="n1", gpu=8, kind="Pod", pods=["solo"]))
    assert stage.filter(pod("solo", gpu=8)).outcome is Outcome.PLANNED
    assert stage.filter(pod("other", gpu=8)).nodes == []


def test_pods_that_arrived_are_counted_and_standing_ones_are_not() -> None:
    standing = pod("web-0", "web", gpu=2, on="n1")
    stage = Stage(node("n1", gpu=6), standing)
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=2, standing=1))
    assert stage.scheduler.reserved_pods == 1
    stage.tell(pod("web-1", "web", gpu=2, on="n1"))
    assert stage.scheduler.reserved_pods == 0
    assert stage.filter(pod("other", gpu=2)).nodes == ["n1"]


def test_victims_and_terminating_pods_have_not_arrived() -> None:
    victim = pod("web-0", "web", gpu=8, on="n1")
    stage = Stage(node("n1"), victim)
    stage.plan(plan("p1").evicts(victim).places("web", 1, on="n1", gpu=8))
    assert stage.scheduler.reserved_pods == 1
    stage.remove(victim)
    assert stage.filter(pod("thief", gpu=1)).nodes == []
    assert stage.filter(pod("web-1", "web", gpu=8)).nodes == ["n1"]


def test_what_a_victim_holds_and_its_successor_takes_over_is_counted_once() -> None:
    victim = pod("v", "old", gpu=4, cpu=32, on="n1")
    stage = Stage(node("n1", gpu=4, cpu=64), victim)
    stage.plan(plan("p1").evicts(victim).places("new", 1, on="n1", gpu=4, cpu=32))
    assert stage.filter(pod("cpu-only", cpu=32)).nodes == ["n1"]  # 32 cores stay free whatever the plan does
    assert stage.filter(pod("another", cpu=1)).nodes == []  # that and the successor's are all there is


def test_room_that_only_a_later_victim_frees_is_not_lent_to_an_earlier_step() -> None:
    later = pod("v", "old", gpu=4, on="n1")
    stage = Stage(node("n1", gpu=8), later)
    stage.plan(plan("p1").places("first", 1, on="n1", gpu=4).then().evicts(later))
    assert stage.filter(pod("other", gpu=1)).nodes == []
    assert stage.filter(pod("first-1", "first", gpu=4)).nodes == ["n1"]


def test_a_place_is_not_given_away_while_others_places_need_the_room_that_is_free_now() -> None:
    victim = pod("v", "old", gpu=4, on="n1")
    stage = Stage(node("n1", gpu=8), node("n2"), victim)
    stage.plan(plan("p1").places("first", 1, on="n1", gpu=4).then().evicts(victim).places("second", 1, on="n1", gpu=4))
    early = stage.filter(pod("second-1", "second", gpu=4))
    assert early.nodes == ["n2"]
    stage.remove(victim)
    assert stage.filter(pod("second-1", "second", gpu=4)).nodes == ["n1"]


def test_a_pod_of_higher_priority_takes_kept_room_only_where_it_fits_nowhere_else() -> None:
    stage = Stage(node("n1"), node("n2"))
    stage.plan(plan("p1").places("mid", 1, on="n1", gpu=8, priority=10))
    urgent = pod("urgent", gpu=8, priority=11)
    assert stage.filter(urgent).nodes == ["n2"]
    answer = stage.filter(urgent, ["n1"])
    assert answer.nodes == ["n1"]
    assert answer.outcome is Outcome.OVERTAKES
    assert stage.filter(pod("peer", gpu=8, priority=10), ["n1"]).nodes == []


def test_places_of_one_workload_are_kept_at_the_highest_of_their_priorities() -> None:
    stage = Stage(node("n1"))
    stage.plan(
        plan("p1").places("big", 1, on="n1", gpu=4, priority=1).then().places("big", 1, on="n1", gpu=4, priority=9)
    )
    assert stage.filter(pod("between", gpu=4, priority=5)).nodes == []
    assert stage.filter(pod("above", gpu=4, priority=10)).nodes == ["n1"]


def test_a_planned_pod_whose_node_is_not_offered_may_go_where_nothing_is_kept() -> None:
    stage = Stage(node("n1"), node("n2"), node("n3"))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=8).places("other", 1, on="n2", gpu=8))
    assert stage.filter(pod("web-1", "web", gpu=8), ["n2", "n3"]).nodes == ["n3"]


def test_an_unknown_node_passes_while_a_plan_is_active() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=8).places("big", 1, on="ghost", gpu=8))
    assert stage.filter(pod("a", gpu=1), ["n1", "new-node"]).nodes == ["new-node"]


def test_two_plans_on_one_node_both_keep_their_room() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("a", 1, on="n1", gpu=4))
    stage.plan(plan("p2").places("b", 1, on="n1", gpu=3))
    assert stage.filter(pod("x", gpu=2)).unresolvable == {"n1": "kept for plan p1, p2"}
    assert stage.filter(pod("y", gpu=1)).nodes == ["n1"]


def test_a_node_that_comes_back_is_kept_again() -> None:
    n1 = node("n1")
    stage = Stage(n1, node("n2"))
    stage.plan(plan("p1").places("big", 1, on="n1", gpu=8))
    stage.remove(n1)
    stage.tell(node("n0"), n1)  # n0 takes the row that n1 had
    assert stage.filter(pod("a", gpu=8)).nodes == ["n2", "n0"]


def test_a_pod_on_its_way_out_has_not_arrived() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=4))
    arrived = pod("web-1", "web", gpu=4, on="n1")
    stage.tell(arrived)
    assert stage.scheduler.reserved_pods == 0
    stage.tell(replace(arrived, terminating=True))
    assert stage.scheduler.reserved_pods == 1


def test_room_of_many_plans_adds_up() -> None:
    stage = Stage(node("n1"))
    for name in ("p1", "p2", "p3"):
        stage.plan(plan(name).places(name, 1, on="n1", gpu=2))
    assert stage.filter(pod("x", gpu=3)).nodes == []
    assert stage.filter(pod("y", gpu=2)).nodes == ["n1"]


def test_a_named_pod_that_asks_for_something_else_now_has_no_place() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=4, pods=["web-1"]))
    assert stage.filter(pod("web-1", "renamed", gpu=8)).nodes == []
    assert stage.filter(pod("web-1", "renamed", gpu=4)).outcome is Outcome.PLANNED


def test_a_filled_place_charges_nobody_any_more() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=4))
    assert stage.filter(pod("x", gpu=8)).nodes == []
    stage.tell(pod("web-1", "web", gpu=4, on="n1"))
    assert stage.filter(pod("y", gpu=4)).outcome is Outcome.ALL


def test_a_place_on_a_node_that_was_not_offered_is_never_the_answer() -> None:
    stage = Stage(node("n1"))
    stage.plan(plan("p1").places("big", 1, on="ghost", gpu=8))
    assert stage.filter(pod("big-1", "big", gpu=8), ["new-node", "n1"]).nodes == ["new-node", "n1"]


def test_a_count_of_ours_that_is_late_rejects_nothing_that_is_not_kept() -> None:
    gone = pod("v", "old", gpu=8, on="n1")  # kube-scheduler knows that it has gone, we do not yet
    stage = Stage(node("n1"), gone)
    made = stage.plan(plan("p1").places("cpu-only", 1, on="n1", cpu=4))
    assert stage.filter(pod("x", gpu=8)).nodes == ["n1"]
    stage.delete_plan(made)
    stage.plan(plan("p2").evicts(gone).places("new", 1, on="n1", gpu=8).places("cpu-only", 1, on="n1", cpu=4))
    assert stage.filter(pod("new-1", "new", gpu=8)).outcome is Outcome.PLANNED


def test_a_pod_with_a_place_of_its_own_coming_does_not_take_a_lesser_pods_place() -> None:
    """Its own node is still full of a victim: it waits for that, rather than break the plan that serves it."""
    victim = pod("victim", "web", gpu=8, on="n1")
    stage = Stage(node("n1"), node("n2"), victim)
    stage.plan(
        plan("p1")
        .places("small", 1, on="n2", gpu=8, priority=1)
        .then()
        .evicts(victim)
        .places("big", 1, on="n1", gpu=8, priority=10)
    )
    assert stage.filter(pod("big-x", "big", gpu=8, priority=10), ["n2"]).outcome is Outcome.KEPT
    assert stage.filter(pod("other", gpu=8, priority=10), ["n2"]).outcome is Outcome.OVERTAKES
