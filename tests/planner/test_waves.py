"""Any placement that the solver may ask for is reached safely: simulated step by step under random clusters."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_api.reasons import Reason
from berth_planner.merging import merged
from berth_planner.packing import Packing, build_problem
from berth_planner.plan import DisruptionReport, Plan
from berth_planner.planning import placement_after, wave_of
from berth_planner.simulate import simulate
from berth_planner.transition import tasks_of
from berth_planner.waves import order_tasks
from berth_solver.check_placement import placement_violations
from berth_solver.problem import IntArray

from .clusters import HOSTNAME, ZONE, Cluster, pod_term, spread

SIZES = (1, 2, 4, 8)


def draw_cluster(random: Random, *, rules: bool) -> Cluster:
    cluster = Cluster()
    free: dict[str, int] = {}
    for i in range(random.randint(2, 6)):
        cluster.node(f"n{i}", gpu=8, zone=f"z{i % 2}")
        free[f"n{i}"] = 8
    holds: dict[tuple[str, str], int] = {}
    for w in range(random.randint(1, 8)):
        size, priority = random.choice(SIZES), random.randint(0, 2)
        alone = rules and random.random() < 0.3
        even = rules and not alone and random.random() < 0.3
        gang = random.randint(2, 3) if rules and random.random() < 0.2 else None
        name = f"w{w}"
        options = {
            "anti_affinity": [pod_term(HOSTNAME, app=name)] if alone else [],
            "spread": [spread(ZONE, app=name)] if even else [],
            "ports": [8000] if rules and random.random() < 0.15 else [],
            "gang": gang,
        }
        for _ in range(random.randint(1, 4)):
            homes = [n for n in free if free[n] >= size and not (alone and holds.get((name, n)))]
            on = random.choice(homes) if homes and random.random() < 0.8 and not even and not options["ports"] else None
            if on is not None:
                free[on] -= size
                holds[name, on] = 1
            cluster.pods(name, 1, gpu=size, priority=priority, on=on, move_cost=random.randint(1, 3), **options)
    return cluster


def draw_target(random: Random, packing: Packing) -> IntArray | None:
    """Some other placement that keeps every rule: pods taken out and put back at random."""
    problem = packing.problem
    placement = problem.standing_counts.copy()
    for _ in range(30):
        trial = placement.copy()
        for _ in range(random.randint(1, 4)):
            present = np.argwhere(trial > 0)
            if len(present) and random.random() < 0.6:
                c, n = present[random.randrange(len(present))]
                trial[c, n] -= 1
                if random.random() < 0.8:
                    trial[c, random.randrange(len(problem.nodes))] += 1
            else:
                waiting = np.flatnonzero(problem.totals > trial.sum(axis=1))
                if len(waiting):
                    trial[waiting[random.randrange(len(waiting))], random.randrange(len(problem.nodes))] += 1
        if not placement_violations(problem, trial):
            placement = trial
    return placement


def tier_vector(packing: Packing, placement: IntArray) -> tuple[int, ...]:
    placed = placement.sum(axis=1)
    problem = packing.problem
    return tuple(
        sum(int(placed[c]) for c, k in enumerate(problem.classes) if k.priority == p) for p in problem.priorities
    )


def as_plan(packing: Packing, target: IntArray, *, only_useful: bool, at_once: int = 1) -> tuple[Plan, IntArray]:
    tasks = tasks_of(packing, target)
    ordered = order_tasks(packing.problem, tasks, only_useful=only_useful)
    ordered = merged(packing.problem, tasks, ordered, at_once)
    waves = tuple(wave_of(packing, tasks, wave) for wave in ordered)
    disruption = DisruptionReport(0, 0, 0, 0, "Bounded", "none")
    return Plan((), disruption, waves, 0, 0, 0, None, True), placement_after(packing.problem, tasks, ordered)


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans(), st.sampled_from((1, 2, 16)))
def test_every_wave_is_safe_and_no_prefix_is_worse_by_tier(random: Random, only_useful: bool, at_once: int) -> None:
    cluster = draw_cluster(random, rules=False)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    target = draw_target(random, packing)
    plan, reached = as_plan(packing, target, only_useful=only_useful, at_once=at_once)
    assert simulate(snapshot, plan).violations == ()
    before = tier_vector(packing, packing.problem.standing_counts)
    assert tier_vector(packing, reached) >= max(before, tier_vector(packing, target))


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from((1, 16)))
def test_waves_keep_rules_between_pods_at_each_moment(random: Random, at_once: int) -> None:
    cluster = draw_cluster(random, rules=True)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    plan, _ = as_plan(packing, draw_target(random, packing), only_useful=True, at_once=at_once)
    assert simulate(snapshot, plan).violations == ()


def test_a_ring_of_full_nodes_turns_with_one_pod_waiting() -> None:
    """Each pod's new node is held by the next: one leaves and waits, the others follow, never two short for long."""
    cluster = Cluster()
    for i in range(5):
        cluster.node(f"n{i}", gpu=8, pool=f"p{i}").pods(f"w{i}", on=f"n{i}", gpu=8, priority=i)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    target = np.roll(packing.problem.standing_counts, 1, axis=1)
    plan, reached = as_plan(packing, target, only_useful=False)
    simulation = simulate(snapshot, plan)
    assert simulation.violations == ()
    assert (reached == target).all()
    assert len(plan.waves) == 1
    assert simulation.most_waiting == 2  # the one that waits, and the one on its way
    assert plan.waves[0].evictions[0].priority == 0


def test_each_wave_is_cheaper_than_the_next_and_pays_off() -> None:
    cluster = Cluster()
    for i in range(3):
        cluster.node(f"a{i}", gpu=8).node(f"b{i}", gpu=8)
        cluster.pods(f"w{i}", on=f"a{i}", gpu=4, move_cost=3 - i).pods(f"v{i}", on=f"b{i}", gpu=4, move_cost=10)
        cluster.pods("fill", on=f"b{i}", gpu=2, move_cost=10)
    cluster.node("c", gpu=8).node("d", gpu=4).pods("big", 3, gpu=8, priority=1)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    problem = packing.problem
    target = problem.standing_counts.copy()
    names = [members.pending[0].workload.name if members.pending else "" for members in packing.members]
    big = names.index("big")
    room = {"a0": "c", "a1": "c", "a2": "d"}
    for source, place in room.items():
        n = problem.nodes.index(source)
        c = int(np.flatnonzero(target[:, n])[0])
        target[c, n] -= 1
        target[c, problem.nodes.index(place)] += 1
        target[big, n] += 1
    assert not placement_violations(problem, target)
    plan, _ = as_plan(packing, target, only_useful=True)
    assert simulate(snapshot, plan).violations == ()
    assert [sum(e.move_cost for e in wave.evictions) for wave in plan.waves] == [1, 2, 3]
    assert all(wave.gains == ((1, 1),) for wave in plan.waves)
    together, _ = as_plan(packing, target, only_useful=True, at_once=16)  # a0 and a1 both move to c: not independent
    assert simulate(snapshot, together).violations == ()
    assert [len(wave.evictions) for wave in together.waves] == [2, 1]


def test_moves_that_nobody_needs_are_left_out() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).pods("a", on="n1", gpu=2)
    packing = build_problem(cluster.snapshot())
    target = np.roll(packing.problem.standing_counts, 1, axis=1)
    assert as_plan(packing, target, only_useful=True)[0].is_empty
    assert len(as_plan(packing, target, only_useful=False)[0].moves) == 1


def test_an_eviction_that_makes_the_cluster_worse_is_not_done() -> None:
    """A placement that trades a high pod for a low one: the plan keeps the high one."""
    cluster = Cluster().node("n1", gpu=8).pods("high", on="n1", gpu=8, priority=5).pods("low", gpu=8)
    packing = build_problem(cluster.snapshot())
    high = next(c for c, k in enumerate(packing.problem.classes) if k.priority == 5)
    target = packing.problem.standing_counts.copy()
    target[high, 0] = 0
    target[1 - high, 0] = 1
    assert as_plan(packing, target, only_useful=False)[0].is_empty


def test_joined_waves_take_no_two_pods_of_a_workload() -> None:
    cluster = Cluster()
    for i in range(4):
        cluster.node(f"a{i}", gpu=8).node(f"b{i}", gpu=8).pods("same", on=f"a{i}", gpu=4)
        cluster.pods(f"own{i}", on=f"b{i}", gpu=4, immovable=[Reason.DO_NOT_MOVE])
    cluster.pods("big", 4, gpu=8, priority=1)
    packing = build_problem(cluster.snapshot())
    problem = packing.problem
    target = problem.standing_counts.copy()
    same = next(c for c, members in enumerate(packing.members) if members.running)
    big = next(c for c, members in enumerate(packing.members) if members.pending)
    for i in range(4):
        target[same, problem.nodes.index(f"a{i}")] -= 1
        target[same, problem.nodes.index(f"b{i}")] += 1
        target[big, problem.nodes.index(f"a{i}")] += 1
    plan, _ = as_plan(packing, target, only_useful=True, at_once=16)
    assert simulate(cluster.snapshot(), plan).violations == ()
    assert [len(w.evictions) for w in plan.waves] == [1, 1, 1, 1]


def test_a_gang_that_changes_members_is_never_short_between_waves() -> None:
    """One member leaves for good and another takes its part elsewhere: both in one wave."""
    cluster = Cluster().node("n1", gpu=2).node("n2", gpu=2).node("n3", gpu=4)
    cluster.pods("gang", 1, on="n1", gpu=2, gang=2, move_cost=1).pods("gang", 1, on="n2", gpu=2, gang=2, move_cost=2)
    cluster.pods("gang", 1, gpu=2, gang=2, move_cost=3).pods("block", on="n3", gpu=4)
    cluster.pods("vip", 1, gpu=2, priority=5, node_selector={HOSTNAME: "n1"}).pods("next", 1, gpu=2, priority=4)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    problem = packing.problem

    def class_of(name: str) -> int:
        for c, members in enumerate(packing.members):
            pods = (*members.pending, *(p for group in members.running.values() for p in group))
            if any(p.name == name for p in pods):
                return c
        raise AssertionError(name)

    target = problem.standing_counts.copy()
    n1, n3 = problem.nodes.index("n1"), problem.nodes.index("n3")
    target[class_of("gang-0"), n1], target[class_of("vip-0"), n1] = 0, 1
    target[class_of("block-0"), n3] = 0
    target[class_of("gang-2"), n3] = target[class_of("next-0"), n3] = 1
    assert not placement_violations(problem, target)
    plan, reached = as_plan(packing, target, only_useful=True)
    assert simulate(snapshot, plan).violations == ()
    assert (reached == target).all()
