"""Who waits, and how long an answer holds."""

from __future__ import annotations

import msgspec
import pytest

from berth_cluster.snapshot import DisruptionBudget, Node, Pod
from berth_operator.chances import budgets_may_help, node_may_help, pod_may_help
from berth_operator.waiting import FIRST_RETRY_SECONDS, REVISIT_SECONDS, WaitingPods, waits_for_plan
from tests.planner.clusters import Cluster

from .world import waiting


def a_pod(**changes: object) -> Pod:
    return waiting(Cluster().pods("web", gpu=1).all_pods[0], **changes)


def a_node(name: str = "n1") -> Node:
    return Cluster().node(name, gpu=8).nodes[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"scheduler": "default-scheduler"},
        {"node": "n1"},
        {"gated": True},
        {"terminating": True},
        {"unschedulable": False},
    ],
)
def test_only_refused_pods_of_ours_wait(changes: dict[str, object]) -> None:
    pod = a_pod()
    assert waits_for_plan(pod)
    assert not waits_for_plan(msgspec.structs.replace(pod, **changes))


def test_an_answer_holds_until_something_changes_that_may_help() -> None:
    found = WaitingPods()
    pod = a_pod()
    assert found.pod_changed(None, pod, 0.0)
    assert found.open(0.0) == [pod]
    found.answered([pod.uid], 5.0, found.changes)
    assert found.open(100.0) == []
    found.something_changed()
    assert found.open(100.0) == [pod]


def test_a_change_while_the_solver_was_at_it_opens_the_pod_again() -> None:
    found = WaitingPods()
    pod = a_pod()
    found.pod_changed(None, pod, 0.0)
    before = found.changes
    found.something_changed()
    found.answered([pod.uid], 5.0, before)
    assert found.open(5.0 + FIRST_RETRY_SECONDS) == [pod]


def test_a_pod_that_no_answer_helps_is_asked_about_less_and_less_often() -> None:
    found = WaitingPods()
    pod = a_pod()
    found.pod_changed(None, pod, 0.0)
    gaps = []
    at = 0.0
    for _ in range(7):
        found.answered([pod.uid], at, found.changes)
        found.something_changed()
        opens = found.next_opening(at)
        assert opens is not None
        gaps.append(opens - at)
        at = opens
    assert gaps == [2, 4, 8, 16, 30, 30, 30]


def test_without_any_change_it_is_looked_at_again_in_the_end() -> None:
    """A rest period or an hour's budget ends without an event."""
    found = WaitingPods()
    pod = a_pod()
    found.pod_changed(None, pod, 0.0)
    found.answered([pod.uid], 0.0, found.changes)
    assert found.open(REVISIT_SECONDS - 1) == []
    assert found.open(REVISIT_SECONDS) == [pod]


def test_a_failed_solve_is_tried_again_after_a_pause_and_counts_as_a_turn() -> None:
    found = WaitingPods()
    pod = a_pod()
    found.pod_changed(None, pod, 0.0)
    assert not found.was_looked_at(pod.uid)
    found.answered([pod.uid], 10.0)
    assert found.was_looked_at(pod.uid)
    assert found.open(11.0) == []
    assert found.open(10.0 + FIRST_RETRY_SECONDS) == [pod]


def test_a_placed_pod_waits_no_more_and_its_successor_starts_anew() -> None:
    found = WaitingPods()
    pod = a_pod()
    found.pod_changed(None, pod, 0.0)
    found.pod_changed(pod, msgspec.structs.replace(pod, node="n1"), 1.0)
    assert len(found) == 0
    namesake = msgspec.structs.replace(pod, uid="another")
    found.pod_changed(None, pod, 2.0)
    assert found.pod_changed(pod, namesake, 3.0)
    assert [p.uid for p in found.pods()] == ["another"]


def test_the_most_important_comes_first() -> None:
    found = WaitingPods()
    for name, priority in (("low", 0), ("high", 1000), ("middle", 10)):
        found.pod_changed(None, a_pod(name=name, uid=name, priority=priority), 0.0)
    assert [p.name for p in found.open(0.0)] == ["high", "middle", "low"]


@pytest.mark.parametrize(
    ("changes", "helps"),
    [
        ({"ready": False}, False),
        ({"unschedulable": True}, False),
        ({"allocatable": (("nvidia.com/gpu", 4),)}, False),
        ({"allocatable": (("nvidia.com/gpu", 9),)}, True),
        ({"labels": {"zone": "b"}}, True),
    ],
)
def test_which_changes_of_a_node_may_help(changes: dict[str, object], helps: bool) -> None:
    old = a_node()
    assert node_may_help(old, msgspec.structs.replace(old, **changes)) is helps


def test_nodes_that_come_and_come_back_may_help() -> None:
    node = a_node()
    away = msgspec.structs.replace(node, ready=False)
    cordoned = msgspec.structs.replace(node, unschedulable=True)
    assert node_may_help(None, node)
    assert node_may_help(away, node)
    assert node_may_help(cordoned, node)
    assert not node_may_help(node, None)
    assert not node_may_help(node, msgspec.structs.replace(node))


def test_which_changes_of_a_pod_may_help() -> None:
    running = a_pod(node="n1", unschedulable=False)
    assert pod_may_help(running, None)
    assert not pod_may_help(None, running)
    assert not pod_may_help(a_pod(), running)
    assert not pod_may_help(running, msgspec.structs.replace(running, terminating=True))
    assert pod_may_help(running, msgspec.structs.replace(running, priority=-1))
    assert not pod_may_help(running, msgspec.structs.replace(running, priority=7))


def test_a_disruption_budget_that_allows_more_may_help() -> None:
    tight, loose = (DisruptionBudget("default", "web", None, allowed) for allowed in (0, 2))
    helps, known = budgets_may_help({}, [tight])
    assert not helps
    assert budgets_may_help(known, [loose])[0]
    assert not budgets_may_help(budgets_may_help({}, [loose])[1], [tight])[0]
    assert budgets_may_help(known, [])[0]
