"""Whatever the plan, whatever goes wrong and whenever the executor dies: what must hold of every plan carried out."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from berth_api.packing_plan import Outcome, PackingPlan
from berth_api.packing_policy import Budgets, PackingPolicySpec
from berth_planner.options import PlanOptions
from berth_planner.planning import make_plan
from berth_solver.cpsat import preload
from berth_solver.warm import warm

from .model_cluster import ModelCluster, outcome, stamp
from .plans import planned

EXAMPLES = 40
DEADLINE = 300.0
GPUS = 8


@pytest.fixture(scope="module", autouse=True)
def warm_solver() -> None:
    warm()
    preload()


def random_cluster(random: Random) -> ModelCluster:
    """Nodes in use and badly filled, some of them half at most, and some pods that need more than any of them has free."""
    cluster = ModelCluster()
    names = [f"n{i}" for i in range(random.randint(2, 5))]
    crowded = random.random() < 0.5
    free = dict.fromkeys(names, GPUS if crowded else GPUS // 2)
    for name in names:
        cluster.node(name, gpu=GPUS)
    for w in range(random.randint(1, 4)):
        kind = random.choice(("Deployment", "LLMService", "LLMService", "StatefulSet"))
        gpu = random.choice((1, 2) if kind == "LLMService" else (1, 2, 3, 4))
        on: list[str] = []
        for _ in range(random.randint(1, 4)):
            places = [name for name in names if free[name] >= gpu]
            if places:
                on.append(random.choice(places))
                free[on[-1]] -= gpu
        if on:
            if kind == "LLMService":
                cluster.serve(f"web{w}", gpu=gpu, on=on, load=random.choice((0.0, 4.0, 20.0)))
            else:
                cluster.deploy(f"web{w}", gpu=gpu, on=on, priority=random.choice((0, 10)), kind=kind)
            cluster.owners[f"web{w}"].grace = random.choice((0.0, 0.0, 2.0, 8.0))
    for b in range(random.randint(1, 3) if crowded else 1):
        gpu = random.choice((4, 5, 6, 8))
        cluster.deploy(f"big{b}", gpu=gpu, on=[None] * random.randint(1, 2), priority=random.choice((10, 100)))
    return cluster


def plan_for(cluster: ModelCluster) -> PackingPlan | None:
    found = make_plan(cluster.snapshot(), PlanOptions(budget=0.5))
    return None if found.is_empty else planned("p1", found, cluster, deadline=DEADLINE)


def check(cluster: ModelCluster, done: PackingPlan) -> None:
    """Laws that hold in every case."""
    assert outcome(done) is not None, f"not finished: {done.status.message}"
    assert cluster.overdrawn == [], "an eviction was not on record when it was accepted"
    assert max(Counter(cluster.evicted).values(), default=1) == 1
    assert set(cluster.evicted) <= {e.uid for e in done.spec.evictions}
    assert set(cluster.evicted) <= {r.uid for r in done.status.evictions}
    cluster.scheduler.expire()
    assert cluster.scheduler.active_plan_uids == ()
    assert cluster.scheduler.reserved_pods == 0
    check_services(cluster, done)


def check_services(cluster: ModelCluster, done: PackingPlan) -> None:
    """Whoever was taken down for its mark is on record; a while after the plan nobody is marked, and none is too many."""
    assert set(cluster.relieved) <= {r.uid for r in done.status.evictions}
    for owner in cluster.owners.values():
        owner.reconciled, owner.paused = True, False
    for _ in range(30):
        cluster.tick()
    for owner in cluster.owners.values():
        if owner.load is not None:
            pods = [p for p in cluster.pods.values() if p.workload == owner.key and not p.terminating]
            assert owner.extra == 0
            assert len(pods) == owner.replicas
            assert not any(p.relieved_by or p.deletion_cost for p in pods)


@given(seed=st.integers(0, 2**32), death=st.sampled_from((0.0, 0.1, 0.4)))
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_without_faults_everything_that_was_proven_runs_however_often_the_executor_dies(
    seed: int, death: float
) -> None:
    random = Random(seed)
    cluster = random_cluster(random)
    written = plan_for(cluster)
    if written is None:
        return
    done = cluster.carry_out(written, dies=lambda: random.random() < death)
    check(cluster, done)
    assert outcome(done) is Outcome.COMPLETED, done.status.message
    assert done.status.pods_placed == done.status.pods_planned
    gone = {uid.rsplit("-", 1)[0].removeprefix("uid-") for uid in cluster.evicted}
    for name, fewest in cluster.fewest.items():
        assert name in gone or fewest == cluster.owners[name].replicas, (
            f"{name} served with fewer, and nobody had to go"
        )
    waiting = {pod.key for pod in cluster.pods.values() if pod.node is None}
    assert not waiting & {name for p in done.spec.placements for name in p.pods}


def strike(cluster: ModelCluster, random: Random) -> None:
    """One thing that goes wrong, now."""
    owners = [owner for name, owner in cluster.owners.items() if name.startswith("web")]
    nodes = sorted(cluster.nodes)
    kind = random.choice(
        ("cordon", "flap", "delete", "thief", "scale", "pause", "urgent", "extender", "slow", "cancel", "deaf", "stuck")
    )
    if kind == "cordon" and nodes:
        cluster.change_node(replace(cluster.nodes[random.choice(nodes)], unschedulable=True))
    elif kind == "flap" and nodes:
        node = cluster.nodes[random.choice(nodes)]
        cluster.change_node(replace(node, ready=not node.ready))
    elif kind == "delete" and len(nodes) > 1:
        cluster.delete_node(random.choice(nodes))
    elif kind in ("thief", "urgent"):
        app = f"{kind}{cluster.seconds}"
        scheduler, priority = ("default-scheduler", 0) if kind == "thief" else ("berth", 1000)
        cluster.deploy(app, gpu=random.choice((1, 4)), on=[None], scheduler=scheduler, priority=priority)
        pod = cluster.pod(f"{app}-0")
        cluster.change_pod(replace(pod, created=stamp(cluster.now), unschedulable=False))
        cluster.wake(pod.uid)
    elif kind == "scale" and owners:
        cluster.scale(random.choice(owners).key.name, random.randint(0, 4))
    elif kind == "pause" and owners:
        owner = random.choice(owners)
        owner.paused = not owner.paused
    elif kind == "extender":
        cluster.extenders_live = not cluster.extenders_live
    elif kind == "deaf" and owners:
        owner = random.choice(owners)
        owner.reconciled = not owner.reconciled
    elif kind == "stuck" and owners:
        owner = random.choice(owners)
        owner.load = None if owner.load is None else float("inf")
    elif kind == "slow" and owners:
        random.choice(owners).grace = 40.0
    elif kind == "cancel":
        current = cluster.plans["uid-p1"]
        cluster.put(current.model_copy(update={"spec": current.spec.model_copy(update={"cancelled": True})}))


@given(seed=st.integers(0, 2**32), faults=st.integers(1, 3), death=st.sampled_from((0.0, 0.2)))
@settings(max_examples=2 * EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_with_faults_every_plan_ends_within_its_limits_and_keeps_nothing(seed: int, faults: int, death: float) -> None:
    random = Random(seed)
    cluster = random_cluster(random)
    written = plan_for(cluster)
    if written is None:
        return
    budgets = Budgets(moves_per_plan=random.choice((1, 2, 50)), moves_per_workload=random.choice((1, 10)))
    cluster.policy = PackingPolicySpec(budgets=budgets)
    for name in list(cluster.owners):
        if random.random() < 0.3:
            cluster.budget(name, random.choice((0, 1, 1)))
    times = {random.randrange(0, 40) / 2 for _ in range(faults)}

    def during(cluster: ModelCluster, seconds: float) -> None:
        if seconds in times:
            strike(cluster, random)

    done = cluster.carry_out(written, during=during, dies=lambda: random.random() < death, seconds=DEADLINE + 5)
    check(cluster, done)
    assert len(cluster.evicted) <= budgets.moves_per_plan
    by_workload = Counter(uid.rsplit("-", 1)[0] for uid in cluster.evicted)
    assert max(by_workload.values(), default=0) <= budgets.moves_per_workload
