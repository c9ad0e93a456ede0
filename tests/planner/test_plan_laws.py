"""Laws that every plan keeps, whatever the cluster: it can be carried out, it makes nothing worse, its bounds are bounds."""

from __future__ import annotations

from random import Random

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from berth_planner.options import PlanOptions
from berth_planner.planning import make_plan
from berth_planner.simulate import simulate

from .clusters import Cluster, selects
from .test_waves import draw_cluster

OPTIONS = PlanOptions(budget=0.3)


def with_budgets(cluster: Cluster, random: Random) -> Cluster:
    for workload in sorted({p.workload.name for p in cluster.all_pods}):
        if random.random() < 0.3:
            cluster.budget(workload, random.randint(0, 2), app=workload)
    return cluster


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_every_plan_can_be_carried_out_and_makes_nothing_worse(random: Random, rules: bool) -> None:
    cluster = draw_cluster(random, rules=rules)
    snapshot = (with_budgets(cluster, random) if rules else cluster).snapshot()
    plan = make_plan(snapshot, OPTIONS)
    assert simulate(snapshot, plan).violations == ()
    before, after = [[getattr(t, which) for t in plan.tiers] for which in ("placed_before", "placed_after")]
    assert after >= before
    assert all(t.placed_after <= t.bound <= t.pods for t in plan.tiers)
    assert plan.disruption.bound <= plan.disruption.value


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_nobody_is_disturbed_when_all_that_wait_are_polite(random: Random) -> None:
    snapshot = draw_cluster(random, rules=False).snapshot()
    polite = tuple(
        p if p.node else msgspec.structs.replace(p, preemption_policy="Never", priority=9) for p in snapshot.pods
    )
    plan = make_plan(msgspec.structs.replace(snapshot, pods=polite), OPTIONS)
    assert plan.disruption.value == 0


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_some_polite_pods_never_lower_what_the_others_get(random: Random) -> None:
    """Tiers above the polite pods are served as if these were not there."""
    snapshot = draw_cluster(random, rules=False).snapshot()
    changed = tuple(
        msgspec.structs.replace(p, preemption_policy="Never", priority=1) if not p.node and i % 2 else p
        for i, p in enumerate(snapshot.pods)
    )
    mixed = msgspec.structs.replace(snapshot, pods=changed)
    alone = msgspec.structs.replace(
        snapshot, pods=tuple(p for p in changed if p.node or p.preemption_policy != "Never")
    )
    with_them, without = (make_plan(s, PlanOptions(budget=2.0)) for s in (mixed, alone))
    assert simulate(mixed, with_them).violations == ()
    above = [[t for t in plan.tiers if t.priority > 1] for plan in (with_them, without)]
    assume(all(t.certificate == "Optimal" for tiers in above for t in tiers))
    assert [t.placed_after for t in above[0]] == [t.placed_after for t in above[1]]


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_names_of_nodes_and_order_of_pods_change_no_count(random: Random) -> None:
    cluster = draw_cluster(random, rules=False)
    one = make_plan(cluster.snapshot(), PlanOptions(budget=1.0))
    renamed = {n.name: f"x{9 - i}" for i, n in enumerate(cluster.nodes)}
    cluster.nodes = [msgspec.structs.replace(n, name=renamed[n.name], labels={}) for n in cluster.nodes]
    cluster.all_pods = [
        msgspec.structs.replace(p, node=renamed[p.node] if p.node else None, name=f"q{i}")
        for i, p in enumerate(reversed(cluster.all_pods))
    ]
    other = make_plan(cluster.snapshot(), PlanOptions(budget=1.0))
    assume(all(t.certificate == "Optimal" for plan in (one, other) for t in plan.tiers))
    assert [t.placed_after for t in one.tiers] == [t.placed_after for t in other.tiers]


def test_a_selector_of_a_budget_that_matches_nothing_binds_nothing() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", on="n1", gpu=8).pods("v", gpu=8, priority=1)
    cluster.budget("other", 0, app="nothing")
    assert selects(app="nothing").requirements
    assert make_plan(cluster.snapshot(), OPTIONS).disruption.evictions == 1
