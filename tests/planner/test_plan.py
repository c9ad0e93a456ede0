"""From a cluster to a plan: what a user would see, each plan also carried out on paper."""

from __future__ import annotations

import pytest

from berth_api.reasons import Reason
from berth_cluster.snapshot import HostPort, PreferredNodeTerm, Taint, Toleration
from berth_planner.options import PlanOptions
from berth_planner.packing import Caps
from berth_planner.plan import Plan
from berth_planner.planning import make_plan
from berth_planner.simulate import simulate

from .clusters import HOSTNAME, ZONE, Cluster, pod_term, spread, where


def plan_for(cluster: Cluster, **options: object) -> Plan:
    """A plan that also works when it is carried out."""
    snapshot = cluster.snapshot()
    plan = make_plan(snapshot, PlanOptions(**{"budget": 1.0, **options}))  # type: ignore[arg-type]
    assert simulate(snapshot, plan).violations == ()
    return plan


def places(plan: Plan) -> dict[str, str]:
    """Pending pods and the replacements of evicted ones, by name, to where they go."""
    named = {pod: p.node for p in plan.placements for pod in p.pods}
    return {key.split("/")[1]: node for key, node in named.items()} | {
        e.pod.split("/")[1]: e.target or "" for wave in plan.waves for e in wave.evictions
    }


def waiting(cluster: Cluster, plan: Plan) -> set[str]:
    placed = {pod for p in plan.placements for pod in p.pods}
    return {p.name for p in cluster.all_pods if p.node is None and p.key not in placed}


# -- room, priorities, moves


def test_one_move_makes_room_for_a_large_pod() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4).pods("big", gpu=8, priority=10)
    plan = plan_for(cluster)
    assert waiting(cluster, plan) == set()
    assert (plan.disruption.moves, plan.disruption.evictions) == (1, 0)
    assert plan.disruption.certificate == "Optimal"


def test_the_pod_that_is_cheaper_to_move_moves() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("dear", on="n1", gpu=4, move_cost=9).pods("cheap", on="n2", gpu=4).pods("big", gpu=8, priority=10)
    plan = plan_for(cluster)
    assert [e.workload.name for e in plan.moves] == ["cheap"]


def test_of_equal_pods_the_youngest_leaves() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("old", on="n1", gpu=4, created="2026-01-01T00:00:00Z")
    cluster.pods("young", on="n1", gpu=4, created="2026-02-01T00:00:00Z")
    cluster.pods("rest", on="n2", gpu=8, immovable=[Reason.NO_CONTROLLER])
    cluster.pods("vip", gpu=4, priority=10)
    plan = plan_for(cluster)
    assert [e.pod for e in plan.evictions] == ["default/young-0"]


def test_the_oldest_pending_pod_is_placed_first() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("late", gpu=8, created="2026-03-01T00:00:00Z").pods("early", gpu=8, created="2026-02-01T00:00:00Z")
    assert waiting(cluster, plan_for(cluster)) == {"late-0"}


def test_a_higher_priority_takes_the_room_of_a_lower_one() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("low", on="n1", gpu=8).pods("high", gpu=8, priority=5)
    plan = plan_for(cluster)
    assert [(t.priority, t.placed_before, t.placed_after) for t in plan.tiers] == [(5, 0, 1), (0, 1, 0)]
    assert plan.disruption.evictions == 1


def test_two_pods_swap_when_only_that_makes_room() -> None:
    cluster = Cluster().node("n1", gpu=8, cpu=10_000).node("n2", gpu=8, cpu=20_000)
    cluster.pods("a", on="n1", gpu=6, cpu=2000).pods("b", on="n2", gpu=6, cpu=9000).pods(
        "x", gpu=2, cpu=18_000, priority=9
    )
    plan = plan_for(cluster)
    assert places(plan) == {"a-0": "n2", "b-0": "n1", "x-0": "n2"}
    assert len(plan.waves) == 1
    assert [len(step.evictions) for step in plan.waves[0].steps] == [1, 1]


def test_nothing_to_do_is_an_empty_plan() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", on="n1", gpu=4)
    assert plan_for(cluster).is_empty


def test_an_empty_cluster_places_nothing() -> None:
    cluster = Cluster().pods("a", gpu=4)
    plan = plan_for(cluster)
    assert plan.is_empty
    assert [(t.pods, t.placed_after, t.bound) for t in plan.tiers] == [(1, 0, 0)]


# -- who may be touched


def test_immovable_and_terminating_pods_hold_their_room() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("fixed", on="n1", gpu=4, immovable=[Reason.DO_NOT_MOVE]).pods(
        "going", on="n1", gpu=4, terminating=True
    )
    cluster.pods("high", gpu=8, priority=5).pods("small", gpu=1, priority=5)
    plan = plan_for(cluster)
    assert plan.is_empty
    assert waiting(cluster, plan) == {"high-0", "small-0"}


def test_gated_pods_are_not_pending() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("gated", gpu=1, gated=True).pods("ready", gpu=1)
    plan = plan_for(cluster)
    assert places(plan) == {"ready-0": "n1"}
    assert sum(t.pods for t in plan.tiers) == 1


def test_pods_with_unknown_features_are_left_out_and_reported() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("odd", gpu=1, unmodelled=["resource claims"])
    plan = plan_for(cluster)
    assert plan.is_empty
    assert any("default/odd-0" in note for note in plan.notes)


def test_movable_berth_leaves_pods_of_other_schedulers_alone() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("theirs", on="n1", gpu=4).pods("ours", on="n2", gpu=4, scheduler="berth", move_cost=9)
    cluster.pods("big", gpu=8, priority=10, scheduler="berth").pods("not-ours", gpu=1)
    plan = plan_for(cluster, movable="berth")
    assert [e.workload.name for e in plan.moves] == ["ours"]
    assert waiting(cluster, plan) == {"not-ours-0"}


def test_pending_only_disturbs_nobody() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4).pods("big", gpu=8, priority=10).pods("small", gpu=4)
    plan = plan_for(cluster, pending_only=True)
    assert plan.disruption.value == 0
    assert waiting(cluster, plan) == {"big-0"}
    assert all(t.certificate == "Optimal" for t in plan.tiers)


def test_nobody_is_disturbed_for_a_pod_that_kube_scheduler_has_preempted_for() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("victim", on="n1", gpu=4, terminating=True).pods("other", on="n2", gpu=8)
    cluster.pods("preemptor", gpu=6, priority=9, nominated="n1").pods("small", 2, gpu=2)
    plan = plan_for(cluster)
    assert plan.disruption.value == 0
    assert places(plan) == {"small-0": "n1"}  # of n1's 8, the preemptor will have 6


def test_pending_only_puts_nothing_on_a_node_over_its_capacity() -> None:
    cluster = Cluster().node("n1", gpu=4).pods("a", 2, on="n1", gpu=4).pods("small", gpu=0, cpu=100)
    assert waiting(cluster, plan_for(cluster, pending_only=True)) == {"small-0"}


# -- preemptionPolicy Never


def test_never_causes_no_eviction() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("low", on="n1", gpu=8).pods("polite", gpu=8, priority=5, never=True)
    assert plan_for(cluster).is_empty


def test_never_causes_no_move() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4).pods("polite", gpu=8, priority=5, never=True)
    assert plan_for(cluster).is_empty


def test_never_takes_free_room_before_lower_priorities() -> None:
    cluster = Cluster().node("n1", gpu=8)
    cluster.pods("polite", gpu=8, priority=5, never=True).pods("low", gpu=8)
    assert waiting(cluster, plan_for(cluster)) == {"low-0"}


def test_what_others_displace_is_not_displaced_for_a_never_pod() -> None:
    """vip can only take n1; polite, pushed off its free room there, must not push low off n2."""
    cluster = Cluster().node("n1", gpu=8, pool="a").node("n2", gpu=8, pool="b")
    cluster.pods("low", on="n2", gpu=8, priority=1)
    cluster.pods("polite", gpu=8, priority=5, never=True).pods("vip", gpu=8, priority=9, node_selector={"pool": "a"})
    plan = plan_for(cluster)
    assert places(plan) == {"vip-0": "n1"}


def test_a_never_pod_keeps_its_turn_while_others_preempt() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("low", on="n1", gpu=8, priority=1)
    cluster.pods("polite", gpu=4, priority=5, never=True).pods("vip", gpu=8, priority=9).pods("last", gpu=8, priority=3)
    plan = plan_for(cluster)
    assert "polite-0" not in places(plan) or plan.disruption.evictions <= 1
    assert "vip-0" in places(plan)


# -- budgets and caps


def test_a_spent_budget_keeps_its_pods_in_place() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4).pods("b", on="n2", gpu=4, move_cost=9).pods("big", gpu=8, priority=10)
    cluster.budget("a", 0, app="a")
    assert [e.workload.name for e in plan_for(cluster).moves] == ["b"]


def test_pods_under_two_budgets_cannot_be_evicted() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=4, labels={"tier": "x"}).pods("b", on="n2", gpu=4, move_cost=9)
    cluster.pods("big", gpu=8, priority=10).budget("one", 5, app="a").budget("two", 5, tier="x")
    assert [e.workload.name for e in plan_for(cluster).moves] == ["b"]


def test_a_budget_of_one_lets_one_pod_go() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).node("n3", gpu=8)
    cluster.pods("a", 1, on="n1", gpu=8).pods("a", 1, on="n2", gpu=8).pods("a", 1, on="n3", gpu=8)
    cluster.pods("vip", 3, gpu=8, priority=10).budget("a", 1, app="a")
    plan = plan_for(cluster)
    assert plan.disruption.evictions == 1
    assert len(waiting(cluster, plan)) == 2


def test_max_moves_caps_what_leaves() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", on="n1", gpu=8).pods("b", on="n2", gpu=8).pods("vip", 2, gpu=8, priority=10)
    plan = plan_for(cluster, caps=Caps(max_moves=1))
    assert plan.disruption.evictions + plan.disruption.moves == 1


# -- wishes and rules between pods and nodes


def test_taints_selectors_volumes_and_cordons_decide_where() -> None:
    cluster = (
        Cluster().node("n1", gpu=8, cordoned=True).node("n2", gpu=8, taints=[Taint("dedicated", "x", "NoSchedule")])
    )
    cluster.node("n3", gpu=8, zone="z3").node("n4", gpu=8, pool="fast").node("n5", gpu=8, ready=False)
    cluster.pods("tolerant", gpu=8, tolerations=[Toleration("dedicated", "Equal", "x")], priority=3)
    cluster.pods("disk", gpu=1, volume=where(**{ZONE: "z3"})).pods("fast", gpu=1, node_selector={"pool": "fast"})
    cluster.pods("nowhere", gpu=1, node_selector={"pool": "none"})
    plan = plan_for(cluster)
    found = places(plan)
    assert (found["disk-0"], found["fast-0"]) == ("n3", "n4")
    assert set(found.values()) <= {"n2", "n3", "n4"}
    assert waiting(cluster, plan) == {"nowhere-0"}


def test_preference_decides_where_nothing_else_does() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8, pool="fast").node("n3", gpu=8)
    cluster.pods("a", gpu=1, prefers=[PreferredNodeTerm(10, where(pool="fast"))])
    assert places(plan_for(cluster)) == {"a-0": "n2"}


def test_self_anti_affinity_puts_one_on_each_node() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("web", 3, gpu=1, anti_affinity=[pod_term(HOSTNAME, app="web")])
    plan = plan_for(cluster)
    assert sorted(places(plan).values()) == ["n1", "n2"]


def test_anti_affinity_of_a_running_pod_binds_newcomers() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("loner", on="n1", gpu=1, immovable=[Reason.DO_NOT_MOVE], anti_affinity=[pod_term(HOSTNAME, app="web")])
    cluster.pods("web", gpu=1)
    assert places(plan_for(cluster)) == {"web-0": "n2"}


def test_affinity_follows_running_pods_and_lets_the_first_in() -> None:
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8, zone="b").node("n3", gpu=8)
    cluster.pods("cache", on="n2", gpu=1, immovable=[Reason.NO_CONTROLLER])
    cluster.pods("web", gpu=1, affinity=[pod_term(ZONE, app="cache")])
    cluster.pods("herd", 2, gpu=4, affinity=[pod_term(ZONE, app="herd")])
    cluster.pods("lost", gpu=1, affinity=[pod_term(ZONE, app="nobody")])
    plan = plan_for(cluster)
    found = places(plan)
    assert found["web-0"] == "n2"
    assert found["herd-0"] == found["herd-1"] != "n3"
    assert waiting(cluster, plan) == {"lost-0"}


def test_pods_that_each_need_the_other_first_are_not_planned() -> None:
    """Kubernetes lets the first of a kind in only while there is none anywhere: here one stands on a full node."""
    alike = [pod_term(HOSTNAME, app="herd")]
    cluster = Cluster().node("n1", gpu=1).node("n2", gpu=8)
    cluster.pods("herd", on="n1", gpu=1, affinity=alike, immovable=[Reason.DO_NOT_MOVE])
    cluster.pods("herd", 2, gpu=1, affinity=alike)
    plan = plan_for(cluster)
    assert plan.is_empty
    assert waiting(cluster, plan) == {"herd-1", "herd-2"}


def test_spread_evens_out_zones() -> None:
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8, zone="b").node("n3", gpu=8)
    cluster.pods("web", 1, on="n1", gpu=1, immovable=[Reason.DO_NOT_MOVE], labels={"s": "1"})
    cluster.pods("even", 4, gpu=1, labels={"s": "1"}, spread=[spread(ZONE, s="1")])
    found = list(places(plan_for(cluster)).values())
    assert abs(found.count("n1") + 1 - found.count("n2")) <= 1
    assert len(found) == 4


def test_min_domains_counts_missing_zones_as_empty() -> None:
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8, zone="b")
    cluster.pods("even", 4, gpu=1, spread=[spread(ZONE, min_domains=3, app="even")])
    assert len(places(plan_for(cluster))) == 2


def test_host_ports_exclude_each_other_and_the_wildcard_all() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("any", on="n1", gpu=1, ports=[80], immovable=[Reason.DAEMON_SET], kind="DaemonSet")
    cluster.pods("one", gpu=1, ports=[HostPort(80, "TCP", "10.0.0.1")])
    cluster.pods("two", gpu=1, ports=[HostPort(80, "TCP", "10.0.0.2")]).pods("udp", gpu=1, ports=[HostPort(80, "UDP")])
    cluster.pods("third", gpu=1, ports=[80])
    plan = plan_for(cluster)
    found = places(plan)
    assert "udp-0" in found
    on_n2 = {p for p, n in found.items() if n == "n2"}
    assert not {"one-0", "two-0", "third-0"} & (found.keys() - on_n2)
    assert len(waiting(cluster, plan)) == 1  # the wildcard keeps away from both addresses, or they from it


def test_gangs_are_placed_whole_or_not_at_all() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("small", 2, gpu=8, gang=2).pods("large", 3, gpu=8, gang=3, priority=5)
    plan = plan_for(cluster)
    assert waiting(cluster, plan) == {"large-0", "large-1", "large-2"}
    assert sum(len(p.pods) for p in plan.placements) == 2


def test_a_gang_that_loses_one_loses_all_in_one_wave() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("gang", 1, on="n1", gpu=8, gang=2).pods("gang", 1, on="n2", gpu=8, gang=2)
    cluster.pods("vip", 1, gpu=8, priority=5)
    plan = plan_for(cluster)
    assert plan.disruption.evictions == 2
    assert len(plan.waves) == 1


# -- consolidation


def test_consolidation_empties_nodes() -> None:
    cluster = Cluster()
    for i in range(4):
        cluster.node(f"n{i}", gpu=8).pods(f"w{i}", on=f"n{i}", gpu=2)
    plan = plan_for(cluster, consolidate=True)
    assert (plan.nodes_in_use_before, plan.nodes_in_use_after) == (4, 1)


@pytest.mark.parametrize("budget", [0.05, 0.5])
def test_identical_pods_make_no_phantom_moves(budget: float) -> None:
    cluster = Cluster()
    for i in range(6):
        cluster.node(f"n{i}", gpu=8).pods("same", 4, on=f"n{i}", gpu=1).pods("other", 2, on=f"n{i}", gpu=2)
    cluster.pods("more", 3, gpu=8, priority=0)
    assert plan_for(cluster, budget=budget).disruption.value == 0
