"""The problem says of each pending pod and node what kube-scheduler would say, and groups only what is alike."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from berth_api.reasons import Reason
from berth_cluster.snapshot import HostPort, Taint, Toleration
from berth_planner.kube_filter import Cluster as Standing
from berth_planner.live_state import LiveState
from berth_planner.node_reasons import against
from berth_planner.packing import OTHERS, build_problem
from berth_planner.planning import make_plan
from berth_planner.shapes import group_pods

from .clusters import HOSTNAME, ZONE, Cluster, pod_term, selects, spread, where

WORKLOADS = ("a", "b", "c", "d", "e")
TAINT = Taint("dedicated", "x", "NoSchedule")


def draw(random: Random) -> Cluster:
    """A small cluster with every rule that Berth models, full enough for them to matter."""
    cluster = Cluster()
    for i in range(random.randint(1, 5)):
        cluster.node(
            f"n{i}",
            gpu=random.choice((2, 4, 8)),
            zone=random.choice(("z1", "z2", None)),
            taints=[TAINT] if random.random() < 0.2 else [],
            cordoned=random.random() < 0.1,
            ready=random.random() < 0.9,
            pool=random.choice(("p1", "p2")),
        )
    for name in WORKLOADS:
        options = {
            "gpu": random.choice((0, 1, 2)),
            "anti_affinity": _terms(random, 0.25),
            "affinity": _terms(random, 0.2),
            "spread": _spreads(random) if random.random() < 0.4 else [],
            "ports": [HostPort(80, ip=random.choice(("0.0.0.0", "10.0.0.1", "10.0.0.2")))]
            if random.random() < 0.3
            else [],
            "tolerations": [Toleration("dedicated", "Exists")] if random.random() < 0.3 else [],
            "node_selector": {"pool": "p1"} if random.random() < 0.2 else {},
            "volume": where(**{ZONE: "z1"}) if random.random() < 0.1 else None,
            "labels": {"team": _team(random)},
        }
        for _ in range(random.randint(0, 5)):
            cluster.pods(
                name,
                1,
                on=random.choice(cluster.nodes).name,
                immovable=[Reason.DO_NOT_MOVE] if random.random() < 0.5 else [],
                terminating=random.random() < 0.15,
                **options,  # type: ignore[arg-type]
            )
        cluster.pods(name, random.randint(0, 2), **options)  # type: ignore[arg-type]
    return cluster


def _spreads(random: Random) -> list[object]:
    keys = random.sample((ZONE, HOSTNAME), random.randint(1, 2))
    return [spread(key, random.randint(1, 2), random.randint(1, 3), team=_team(random)) for key in keys]


def _team(random: Random) -> str:
    return random.choice(("x", "y"))


def _terms(random: Random, chance: float) -> list[object]:
    def one() -> object:
        key = random.choice((HOSTNAME, ZONE))
        return (
            pod_term(key, app=random.choice(WORKLOADS)) if random.random() < 0.5 else pod_term(key, team=_team(random))
        )

    return [one() for _ in range(random.randint(1, 2))] if random.random() < chance else []


@settings(max_examples=250, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_problem_admits_what_kube_scheduler_would(random: Random) -> None:
    snapshot = draw(random).snapshot()
    packing = build_problem(snapshot)
    problem = packing.problem
    now, standing = LiveState(problem), Standing(snapshot.nodes, snapshot.pods)
    for c, members in enumerate(packing.members):
        for pod in members.pending:
            found = against(packing, c, pod.spec, now, now.free_room())
            for n, node in enumerate(snapshot.nodes):
                if problem.overloaded[n]:
                    continue  # stricter than kube-scheduler: a node over its capacity takes nothing new at all
                reason = standing.against(pod, node)
                assert bool(found.admitted[n]) == (reason is None), (pod.key, node.name, reason)
                assert bool(found.admitted[n]) == (now.admits(c, n) and bool(problem.eligibility[c, n]))
            rejected = {r.reason for r in found.reasons(problem.resources)}
            assert bool(rejected) == (not found.admitted.all())


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_every_pod_has_one_role(random: Random) -> None:
    snapshot = draw(random).snapshot()
    packing = build_problem(snapshot)
    pending = [p for m in packing.members for p in m.pending]
    running = [p for m in packing.members for pods in m.running.values() for p in pods]
    fixed = sum(packing.fixed_per_priority.values())
    going = sum(p.terminating for p in snapshot.pods)
    assert len({p.key for p in (*pending, *running)}) == len(pending) + len(running)
    assert len(pending) + len(running) + fixed + going == len(snapshot.pods)
    assert {p.key for p in pending} == {p.key for p in snapshot.pods if p.is_pending}


def test_pods_that_nobody_can_tell_apart_share_a_class() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", 3, gpu=1).pods("b", 2, gpu=1).pods("a", 1, on="n1", gpu=1)
    cluster.pods("other", 1, gpu=2).pods("high", 1, gpu=1, priority=1).pods("dear", 1, gpu=1, move_cost=5)
    packing = build_problem(cluster.snapshot())
    assert sorted(int(t) for t in packing.problem.totals) == [1, 1, 1, 6]


def test_only_resources_that_somebody_asks_for_are_kept() -> None:
    cluster = (
        Cluster()
        .node("n1", gpu=8)
        .pods("a", gpu=0, memory=0)
        .pods("fixed", on="n1", gpu=3, immovable=[Reason.DAEMON_SET])
    )
    packing = build_problem(cluster.snapshot())
    assert packing.problem.resources == ("cpu", "pods")
    assert packing.problem.capacity.tolist() == [[63_000, 109]]


def test_rules_of_fixed_pods_only_cost_the_solver_nothing() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods(
        "ds", on="n1", ports=[80], anti_affinity=[pod_term(HOSTNAME, app="new")], immovable=[Reason.DAEMON_SET]
    )
    packing = build_problem(cluster.pods("new", gpu=1, ports=[80]).snapshot())
    assert not packing.problem.constraints
    assert packing.problem.classes[0].eligible == frozenset({1})


def test_budgets_that_cannot_bind_are_dropped() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("a", 2, on="n1", gpu=1).budget("a", 2, app="a").budget("b", 0, app="b")
    assert build_problem(cluster.snapshot()).problem.constraints.budgets == ()
    cluster.budgets[0] = type(cluster.budgets[0])("default", "a", selects(app="a"), 1)
    (budget,) = build_problem(cluster.snapshot()).problem.constraints.budgets
    assert budget.max_disrupted == 1


def test_pods_of_unknown_nodes_have_no_role() -> None:
    cluster = Cluster().node("n1", gpu=8).pods("lost", on="n1", gpu=1)
    cluster.nodes.clear()
    grouping = group_pods(cluster.snapshot(), {}, "all")
    assert grouping.shapes == ()


def admitted(cluster: Cluster) -> set[str]:
    """Nodes that admit the only pending pod now, which the filters must confirm."""
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    (c,) = (c for c, members in enumerate(packing.members) if members.pending)
    pod = packing.members[c].pending[0]
    now = LiveState(packing.problem)
    found = against(packing, c, pod.spec, now, now.free_room()).admitted
    assert [now.admits(c, n) and bool(packing.problem.eligibility[c, n]) for n in range(len(found))] == found.tolist()
    names = {n.name for i, n in enumerate(snapshot.nodes) if found[i]}
    standing = Standing(snapshot.nodes, snapshot.pods)
    assert names == {n.name for n in snapshot.nodes if standing.against(pod, n) is None}
    return names


def test_skew_is_counted_from_the_emptiest_domain() -> None:
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8, zone="b")
    for node, count in (("n1", 2), ("n2", 1)):
        cluster.pods("even", count, on=node, spread=[spread(ZONE, app="even")])
    assert admitted(cluster.pods("even", 1, spread=[spread(ZONE, app="even")])) == {"n2"}
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8, zone="b")
    for node in ("n1", "n2"):
        cluster.pods("even", 1, on=node, spread=[spread(ZONE, app="even")])
    assert admitted(cluster.pods("even", 1, spread=[spread(ZONE, app="even")])) == {"n1", "n2"}


def test_nodes_without_every_topology_key_are_not_counted() -> None:
    terms = [spread(ZONE, app="even"), spread(HOSTNAME, app="even")]
    cluster = Cluster().node("n1", gpu=8, zone="a").node("n2", gpu=8)  # n2 has no zone: its emptiness counts nowhere
    cluster.pods("even", 3, on="n1", spread=terms)
    assert admitted(cluster.pods("even", 1, spread=terms)) == {"n1"}


def test_a_pod_that_asks_for_thousands_of_unknown_resources_costs_no_other_its_place() -> None:
    """The solver refuses problems of more than 64 resources: one tenant's pod would end planning for all."""
    cluster = Cluster().node("n1", gpu=4).pods("web", 1, gpu=4).pods("odd", 1, gpu=1)
    snapshot = cluster.snapshot()
    odd = next(p for p in snapshot.pods if p.workload.name == "odd")
    strange = tuple((f"example.com/r{i:05}", 1) for i in range(3_000))
    hostile = replace(odd, spec=replace(odd.spec, requests=tuple(sorted((*odd.spec.requests, *strange)))))
    plan = make_plan(replace(snapshot, pods=tuple(hostile if p is odd else p for p in snapshot.pods)))
    assert [p.workload.name for p in plan.placements] == ["web"]


def test_what_no_node_offers_is_told_by_its_name_while_it_is_little() -> None:
    snapshot = Cluster().node("n1", gpu=4).pods("odd", 1, gpu=1).snapshot()
    odd = snapshot.pods[0]
    asking = replace(odd, spec=replace(odd.spec, requests=(*odd.spec.requests, ("example.com/fpga", 1))))
    packing = build_problem(replace(snapshot, pods=(asking,)))
    assert "example.com/fpga" in packing.problem.resources
    assert OTHERS not in packing.problem.resources
