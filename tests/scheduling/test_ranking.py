"""Which node suits best: what the pod wishes first, then how the node is packed."""

from __future__ import annotations

from msgspec.structs import replace

from berth_cluster.snapshot import NodeTerm, Operator, PodSpec, PreferredNodeTerm, Requirement, Taint
from berth_scheduling.answers import Outcome
from berth_scheduling.settings import Settings

from .builders import Stage, node, plan, pod


def wants(weight: int, key: str, value: str) -> PreferredNodeTerm:
    return PreferredNodeTerm(weight, NodeTerm((Requirement(key, Operator.IN, (value,)),)))


def test_the_node_that_is_left_least_fragmented_is_best() -> None:
    stage = Stage(node("empty"), node("fits"), pod("a", gpu=4, on="fits"))
    ranks = dict(stage.scheduler.prioritize(pod("b", gpu=4), ["empty", "fits"]))
    assert ranks == {"fits": 10, "empty": 9}


def test_nodes_of_equal_worth_share_a_rank_but_the_first_place_is_one_nodes() -> None:
    stage = Stage(*(node(f"n{i}") for i in range(5)))
    ranks = [rank for _, rank in stage.scheduler.prioritize(pod("a", gpu=1), list(stage.nodes))]
    assert sorted(ranks) == [9, 9, 9, 9, 10]


def test_a_burst_of_equal_pods_fills_one_node_before_the_watch_has_shown_any_of_them() -> None:
    stage = Stage(*(node(f"n{i}", gpu=8) for i in range(5)))
    chosen = []
    for i in range(10):
        asked = pod(f"burst-{i}", gpu=2)
        offered = [n for n in stage.nodes if chosen.count(n) < 4]  # kube-scheduler counts what it has assumed
        nodes = stage.filter(asked, offered).nodes
        ranks = dict(stage.scheduler.prioritize(asked, nodes))
        chosen += [name for name, rank in ranks.items() if rank == 10]
    assert sorted(chosen.count(n) for n in set(chosen)) == [2, 4, 4]


def test_what_was_assumed_is_given_back_when_the_pod_is_bound_or_gone() -> None:
    stage = Stage(node("n1", gpu=8), node("n2", gpu=8))
    for i in range(2):
        asked = pod(f"a{i}", gpu=2)
        stage.filter(asked, ["n1", "n2"])
        assert dict(stage.scheduler.prioritize(asked, ["n1", "n2"]))["n1"] == 10
    assert stage.scheduler._room.assumed.any()
    stage.tell(pod("a0", gpu=2, on="n1"))
    stage.scheduler.pod_changed(pod("a1", gpu=2), None)
    assert not stage.scheduler._room.assumed.any()


def test_a_resource_that_is_first_seen_while_a_pod_is_on_its_way_is_given_back_no_more_than_it_was_taken() -> None:
    fresh = ("rdma/hca", 1)
    asked = pod("a")
    asked = replace(asked, spec=replace(asked.spec, requests=(*asked.spec.requests, fresh)))
    stage = Stage(node("n1"))
    stage.filter(asked)
    plain = node("n1")
    stage.tell(replace(plain, allocatable=(*plain.allocatable, fresh)))  # kube-scheduler had seen it before we did
    stage.bind(asked, "n1")
    assert not stage.scheduler._room.assumed.any()


def test_after_ten_distinct_worths_every_rank_is_zero() -> None:
    stage = Stage(*(node(f"n{i:02}", gpu=i + 1) for i in range(14)))
    ranks = [rank for _, rank in stage.scheduler.prioritize(pod("a", gpu=1), list(stage.nodes))]
    assert sorted(ranks, reverse=True) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0]


def test_preferred_nodes_come_before_packing_by_weight() -> None:
    stage = Stage(
        node("ssd", labels={"disk": "ssd"}),
        node("near", labels={"zone": "a"}),
        node("both", labels={"disk": "ssd", "zone": "a"}),
        node("packed", gpu=1),
    )
    spec = PodSpec((), preferred_nodes=(wants(80, "disk", "ssd"), wants(20, "zone", "a")))
    asked = pod("a", gpu=1, spec=spec)
    ranks = dict(stage.scheduler.prioritize(asked, list(stage.nodes)))
    assert ranks == {"both": 10, "ssd": 9, "near": 8, "packed": 7}


def test_a_node_that_would_rather_not_is_last() -> None:
    tainted = replace(node("packed", gpu=1), taints=(Taint("spot", "", "PreferNoSchedule"),))
    stage = Stage(tainted, node("n1"))
    assert dict(stage.scheduler.prioritize(pod("a", gpu=1), ["packed", "n1"])) == {"n1": 10, "packed": 9}
    stage.tell(replace(tainted, taints=()))
    assert dict(stage.scheduler.prioritize(pod("a", gpu=1), ["packed", "n1"])) == {"n1": 9, "packed": 10}


def test_preferences_that_only_kube_scheduler_weighs_are_left_to_it() -> None:
    stage = Stage(node("empty"), node("fits"), pod("x", gpu=4, on="fits"))
    spread = pod("a", gpu=4, spec=PodSpec((), soft_preferences=True))
    assert dict(stage.scheduler.prioritize(spread, ["empty", "fits"])) == {"empty": 10, "fits": 10}


def test_a_node_without_room_by_our_count_is_no_better_than_one_with() -> None:
    stage = Stage(node("full"), node("free"), pod("x", gpu=8, on="full"))
    ranks = dict(stage.scheduler.prioritize(pod("a", gpu=1), ["full", "free", "unknown"]))
    assert ranks["free"] == 10
    assert ranks["full"] == ranks["unknown"] < 10


def test_only_the_best_of_many_are_returned() -> None:
    nodes = [node(f"n{i}", gpu=4 if i % 3 else 8) for i in range(30)]
    stage = Stage(*nodes, settings=Settings(narrow_to=5, narrow_above=20))
    answer = stage.filter(pod("a", gpu=4))
    assert len(answer.nodes) == 5
    assert all(stage.nodes[name].amounts["nvidia.com/gpu"] == 4 for name in answer.nodes)
    assert answer.unresolvable == {}  # absent, not failed
    assert answer.outcome is Outcome.NARROWED
    assert len(stage.filter(pod("b", gpu=4), [n.name for n in nodes[:20]]).nodes) == 20


def test_pods_with_preferences_see_all_nodes() -> None:
    stage = Stage(*(node(f"n{i}") for i in range(30)), settings=Settings(narrow_to=5, narrow_above=20))
    soft = pod("a", spec=PodSpec((), soft_preferences=True))
    prefers = pod("b", spec=PodSpec((), preferred_nodes=(wants(1, "zone", "a"),)))
    assert len(stage.filter(soft).nodes) == 30
    assert len(stage.filter(prefers).nodes) == 30


def test_of_its_own_places_a_pod_gets_the_best() -> None:
    stage = Stage(node("n1"), node("n2", gpu=4), node("n3"))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=4).places("web", 1, on="n2", gpu=4))
    assert stage.filter(pod("web-1", "web", gpu=4)).nodes == ["n2"]


def test_ranks_follow_what_happens_on_the_nodes() -> None:
    stage = Stage(node("n1"), node("n2"))
    asked = pod("a", gpu=4)
    assert dict(stage.scheduler.prioritize(asked, ["n1", "n2"])) == {"n1": 10, "n2": 9}
    stage.tell(pod("x", gpu=4, on="n2"))
    assert dict(stage.scheduler.prioritize(asked, ["n1", "n2"])) == {"n1": 9, "n2": 10}


def test_of_its_own_places_the_preferred_one_comes_before_the_packed_one() -> None:
    stage = Stage(node("n1", labels={"zone": "a"}), node("n2", gpu=4))
    stage.plan(plan("p1").places("web", 1, on="n1", gpu=4).places("web", 1, on="n2", gpu=4))
    spec = PodSpec((), preferred_nodes=(wants(1, "zone", "a"),))
    assert stage.filter(pod("web-1", "web", gpu=4, spec=spec)).nodes == ["n1"]
