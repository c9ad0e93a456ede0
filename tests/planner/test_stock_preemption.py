"""The stock scheduler's choice of victims, one rule a test, and the law that nothing it must not touch is touched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_planner.kube_filter import Cluster as Standing
from berth_planner.simulate import simulate
from berth_planner.stock_preemption import choose_victims, preemption_plan

from .clusters import Cluster


def the_pod(cluster: Cluster, name: str = "big-0") -> Pod:
    return next(p for p in cluster.all_pods if p.name == name)


def victims(cluster: Cluster, **options: bool) -> tuple[str, set[str]] | None:
    choice = choose_victims(cluster.snapshot(), the_pod(cluster), **options)
    return None if choice is None else (choice.node, {v.name for v in choice.victims})


def test_as_many_as_fit_are_left_alone() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", 4, gpu=2, on="n1").pods("big", gpu=4, priority=10)
    found = victims(cluster)
    assert found is not None
    assert len(found[1]) == 2


def test_the_important_are_put_back_first() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("low", 1, gpu=4, on="n1").pods("middle", 1, gpu=4, on="n1", priority=5)
    assert victims(cluster.pods("big", gpu=4, priority=10)) == ("n1", {"low-0"})


def test_nobody_of_the_same_priority_leaves() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", 2, gpu=4, on="n1", priority=10).pods("big", gpu=4, priority=10)
    assert victims(cluster) is None


def test_a_node_with_room_needs_no_victims() -> None:
    cluster = Cluster().node("full", gpu=4).node("free", gpu=4).pods("a", gpu=4, on="full")
    assert victims(cluster.pods("big", gpu=4, priority=10)) == ("free", set())


def test_first_the_fewest_broken_budgets() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("kept", gpu=4, on="n1").pods("other", gpu=4, on="n2", priority=9).pods("big", gpu=4, priority=10)
    cluster.budget("kept", 0, app="kept")
    assert victims(cluster) == ("n2", {"other-0"})


def test_a_budget_that_would_break_everywhere_can_be_refused() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("kept", gpu=4, on="n1").pods("big", gpu=4, priority=10)
    cluster.budget("kept", 0, app="kept")
    assert victims(cluster) == ("n1", {"kept-0"})
    assert victims(cluster, allow_budget_violations=False) is None


def test_a_budget_is_used_up_by_the_victims_one_after_the_other() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("kept", 2, gpu=2, on="n1").pods("big", gpu=4, priority=10)
    cluster.budget("kept", 1, app="kept")
    choice = choose_victims(cluster.snapshot(), the_pod(cluster))
    assert choice is not None
    assert choice.budget_violations == 1


def test_who_has_a_budget_is_put_back_before_who_has_none() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("free", gpu=4, on="n1", created="2026-01-01T00:00:00Z")
    cluster.pods("kept", gpu=4, on="n1", created="2026-06-01T00:00:00Z").pods("big", gpu=4, priority=10)
    assert victims(cluster) == ("n1", {"kept-0"}), "the younger one, while nothing protects it"
    cluster.budget("kept", 0, app="kept")
    assert victims(cluster) == ("n1", {"free-0"})


def test_then_the_lowest_top_victim() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("high", gpu=4, on="n1", priority=9).pods("low", 2, gpu=2, on="n2", priority=8)
    assert victims(cluster.pods("big", gpu=4, priority=10)) == ("n2", {"low-0", "low-1"})


def test_then_the_smallest_sum_which_is_also_fewer() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("two", 2, gpu=2, on="n1").pods("one", 1, gpu=4, on="n2")
    assert victims(cluster.pods("big", gpu=4, priority=10)) == ("n2", {"one-0"})


def test_in_the_end_the_node_whose_victims_started_last() -> None:
    cluster = Cluster().node("n1", gpu=4).node("n2", gpu=4)
    cluster.pods("old", gpu=4, on="n1", created="2026-01-01T00:00:00Z")
    cluster.pods("young", gpu=4, on="n2", created="2026-06-01T00:00:00Z")
    assert victims(cluster.pods("big", gpu=4, priority=10)) == ("n2", {"young-0"})


def test_what_must_not_move_stays_whoever_asks() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("pinned", gpu=4, on="n1", immovable=(Reason.DO_NOT_MOVE,))
    assert victims(cluster.pods("big", gpu=4, priority=10)) is None


def test_preemption_policy_never_evicts_nobody() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("a", gpu=4, on="n1").pods("big", gpu=4, priority=10, never=True)
    assert victims(cluster) is None
    assert victims(cluster.node("n2", gpu=4)) == ("n2", set())


def test_pods_that_end_already_are_waited_for_not_evicted() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("a", gpu=4, on="n1", terminating=True).pods("big", gpu=4, priority=10)
    assert victims(cluster) is None


def test_the_plan_can_be_carried_out_and_keeps_the_room() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", 4, gpu=2, on="n1").pods("big", gpu=4, priority=10)
    plan = preemption_plan(cluster.snapshot(), the_pod(cluster))
    assert plan is not None
    assert simulate(cluster.snapshot(), plan).violations == ()
    assert plan.placements[0].pods == ("default/big-0",)
    assert [(t.priority, t.placed_before, t.placed_after) for t in plan.tiers] == [(10, 0, 1), (0, 4, 2)]


pods_strategy = st.lists(
    st.tuples(st.sampled_from(["n1", "n2"]), st.integers(1, 4), st.integers(0, 12), st.booleans()), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(pods_strategy, st.integers(1, 8))
def test_victims_are_less_important_movable_and_none_too_many(
    standing: list[tuple[str, int, int, bool]], gpu: int
) -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    used = {"n1": 0, "n2": 0}
    for i, (node, size, priority, pinned) in enumerate(standing):
        if used[node] + size <= 8:
            used[node] += size
            immovable = (Reason.DO_NOT_MOVE,) if pinned else ()
            cluster.pods(f"p{i}", gpu=size, on=node, priority=priority, immovable=immovable)
    cluster.pods("big", gpu=gpu, priority=6)
    pod, choice = the_pod(cluster), choose_victims(cluster.snapshot(), the_pod(cluster))
    if choice is None:
        return
    assert all(v.priority < 6 and v.is_movable and v.node == choice.node for v in choice.victims)
    world = Standing(cluster.snapshot().nodes, cluster.snapshot().pods)
    for victim in choice.victims:
        world.remove(victim, choice.node)
    node = world.nodes[choice.node]
    assert world.against(pod, node) is None
    for victim in choice.victims:
        world.place(victim, choice.node)
        assert world.against(pod, node) is not None, "this one could have stayed"
        world.remove(victim, choice.node)
