"""Any placement that the solver may ask for is reached safely: simulated step by step under random clusters."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

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


def as_plan(packing: Packing, target: IntArray, *, only_useful: bool) -> tuple[Plan, IntArray]:
    tasks = tasks_of(packing, target)
    ordered = order_tasks(packing.problem, tasks, only_useful=only_useful)
    waves = tuple(wave_of(packing, tasks, wave) for wave in ordered)
    disruption = DisruptionReport(0, 0, 0, 0, "Bounded", "none")
    return Plan((), disruption, waves, 0, 0, 0, None, True), placement_after(packing.problem, tasks, ordered)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_every_wave_is_safe_and_no_prefix_is_worse_by_tier(random: Random, only_useful: bool) -> None:
    cluster = draw_cluster(random, rules=False)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    target = draw_target(random, packing)
    plan, reached = as_plan(packing, target, only_useful=only_useful)
    assert simulate(snapshot, plan).violations == ()
    before = tier_vector(packing, packing.problem.standing_counts)
    assert tier_vector(packing, reached) >= max(before, tier_vector(packing, target))


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_waves_keep_rules_between_pods_at_each_moment(random: Random) -> None:
    cluster = draw_cluster(random, rules=True)
    snapshot = cluster.snapshot()
    packing = build_problem(snapshot)
    plan, _ = as_plan(packing, draw_target(random, packing), only_useful=True)
    assert simulate(snapshot, plan).violations == ()
