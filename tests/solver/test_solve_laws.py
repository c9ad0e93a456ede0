"""What every answer of the solver must keep, on random problems with every feature: judged by brute force and verifier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from berth_solver.options import Options
from berth_solver.problem import (
    Affinity,
    Budget,
    Constraints,
    Exclusion,
    Gang,
    Limit,
    PodClass,
    Problem,
    Spread,
    Standing,
)
from berth_solver.solution import Certificate, Solution
from berth_solver.solve import solve
from berth_solver.verify import verify

from .brute_force import BruteForce, TooLargeError, Value, counts_of, value_of
from .problems import make_problem, problems

QUICK = Options(budget=0.5, threads=1)
slowly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def brute_force(problem: Problem) -> tuple[BruteForce, Value]:
    brute = BruteForce(problem)
    try:
        return brute, brute.optimum()
    except TooLargeError:
        assume(False)
        raise


@slowly
@given(problems(max_nodes=6, max_classes=7, max_pods=4))
def test_every_solution_passes_the_verifier(problem: Problem) -> None:
    verification = verify(problem, solve(problem, QUICK), seconds=0.5)
    assert verification.violations == ()


@slowly
@given(problems(max_nodes=6, max_classes=7, max_pods=4))
def test_no_tier_is_worse_than_before(problem: Problem) -> None:
    """Lexicographically: a lower tier may only lose where a higher one gains."""
    before = value_of(problem, counts_of(problem.standing_counts))
    assert tuple(t.placed for t in solve(problem, QUICK).tiers) >= before.placed


@slowly
@given(problems())
def test_bounds_never_cut_off_the_optimum(problem: Problem) -> None:
    """Each bound against the best of its stage, given what is reported for the stages before it."""
    brute, _ = brute_force(problem)
    solution = solve(problem, QUICK)
    placed = tuple(t.placed for t in solution.tiers)
    for rank, tier in enumerate(solution.tiers):
        best = brute.best(lambda v, r=rank: v.placed[r], lambda v, r=rank: v.placed[:r] == placed[:r])  # type: ignore[misc]
        assert best is not None
        assert tier.bound >= best.placed[rank]
    least = brute.best(lambda v: -v.disruption, lambda v: v.placed == placed)
    assert least is not None
    assert solution.disruption.bound <= least.disruption
    disruption = int(solution.disruption.value)
    dearest = brute.best(lambda v: v.preference, lambda v: v.placed == placed and v.disruption == disruption)
    assert dearest is not None
    assert solution.preference.bound >= dearest.preference - 1e-9


@slowly
@given(problems())
def test_what_is_called_optimal_is(problem: Problem) -> None:
    _, best = brute_force(problem)
    solution = solve(problem, QUICK)
    for rank, tier in enumerate(solution.tiers):
        if tier.certificate is not Certificate.OPTIMAL:
            return
        assert tier.placed == best.placed[rank]
    if solution.disruption.certificate is Certificate.OPTIMAL:
        assert solution.disruption.value == best.disruption
        if solution.preference.certificate is Certificate.OPTIMAL:
            assert abs(solution.preference.value - best.preference) < 1e-9


@slowly
@given(problems())
def test_small_problems_are_solved_to_the_end(problem: Problem) -> None:
    """Half a second is plenty for three nodes: the optimum is found, whether or not it is proven."""
    _, best = brute_force(problem)
    solution = solve(problem, QUICK)
    assert tuple(t.placed for t in solution.tiers) == best.placed
    assert solution.disruption.value == best.disruption


@slowly
@given(problems(max_pods=2))
def test_consolidation_comes_before_disruption(problem: Problem) -> None:
    brute = BruteForce(problem)
    try:
        best = brute.optimum(consolidate=True)
    except TooLargeError:
        assume(False)
    solution = solve(problem, replace(QUICK, consolidate=True))
    assert verify(problem, solution, seconds=0.5).violations == ()
    in_use = solution.nodes_in_use
    assert in_use is not None
    assert tuple(t.placed for t in solution.tiers) == best.placed
    assert in_use.bound <= best.nodes_in_use <= in_use.value
    if in_use.certificate is Certificate.OPTIMAL:
        assert solution.disruption.bound <= best.disruption <= solution.disruption.value


@slowly
@given(problems(max_pods=2))
def test_asked_for_pending_pods_only_it_disturbs_nobody(problem: Problem) -> None:
    """The same as an outage budget of nothing for everyone."""
    everyone = Budget(frozenset(range(len(problem.classes))), 0)
    still = replace(problem, constraints=replace(problem.constraints, budgets=(*problem.constraints.budgets, everyone)))
    _, best = brute_force(still)
    solution = solve(problem, replace(QUICK, pending_only=True))
    assert verify(problem, solution, seconds=0.5, pending_only=True).violations == ()
    assert (solution.placement >= problem.standing_counts).all()
    assert tuple(t.placed for t in solution.tiers) == best.placed


def relabelled(problem: Problem, nodes: list[int], classes: list[int]) -> Problem:
    """The same problem with node nodes[i] at position i, and likewise for classes."""
    to_node = {old: new for new, old in enumerate(nodes)}
    to_class = {old: new for new, old in enumerate(classes)}

    def group(members: frozenset[int]) -> frozenset[int]:
        return frozenset(to_class[c] for c in members)

    def moved(domain_of: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(domain_of[n] for n in nodes)

    old = problem.constraints
    return Problem(
        problem.resources,
        tuple(problem.nodes[n] for n in nodes),
        problem.capacity[nodes],
        tuple(
            PodClass(
                k.name,
                k.priority,
                k.request,
                k.pending,
                None if k.eligible is None else frozenset(to_node[n] for n in k.eligible),
                tuple(sorted((to_node[n], share) for n, share in k.preference)),
                k.move_cost,
                k.movable,
            )
            for k in (problem.classes[c] for c in classes)
        ),
        tuple(Standing(to_class[s.pod_class], to_node[s.node], s.count) for s in reversed(problem.standing)),
        Constraints(
            tuple(Limit(group(x.classes), moved(x.domain_of), x.maximum) for x in old.limits),
            tuple(Exclusion(group(x.classes), group(x.others), moved(x.domain_of)) for x in old.exclusions),
            tuple(Affinity(group(x.classes), group(x.others), moved(x.domain_of)) for x in old.affinities),
            tuple(
                Spread(
                    group(x.classes),
                    moved(x.domain_of),
                    x.max_skew,
                    None if x.counted is None else group(x.counted),
                    x.min_domains,
                )
                for x in old.spreads
            ),
            tuple(Gang(group(x.classes), x.minimum, x.name) for x in old.gangs),
            tuple(Budget(group(x.classes), x.max_disrupted) for x in old.budgets),
            old.max_disruption,
            old.max_evictions,
        ),
    )


def proven_values(solution: Solution) -> list[float]:
    """Values of the stages up to the first that is not proven."""
    values: list[float] = []
    for tier in solution.tiers:
        if tier.certificate is not Certificate.OPTIMAL:
            return values
        values.append(tier.placed)
    for stage in (solution.disruption, solution.preference):
        if stage.certificate is not Certificate.OPTIMAL:
            return values
        values.append(round(stage.value, 9))
    return values


@slowly
@given(st.data())
def test_names_and_order_change_no_value(data: st.DataObject) -> None:
    problem = data.draw(problems(max_nodes=5, max_classes=6))
    nodes = data.draw(st.permutations(range(len(problem.nodes))))
    classes = data.draw(st.permutations(range(len(problem.classes))))
    here = proven_values(solve(problem, QUICK))
    there = proven_values(solve(relabelled(problem, nodes, classes), QUICK))
    assert all(a == b for a, b in zip(here, there, strict=False))


@slowly
@given(problems(max_nodes=5, max_classes=5))
def test_the_same_seed_gives_the_same_answer(problem: Problem) -> None:
    patient = replace(QUICK, budget=5.0)  # a stage that time cuts short may end at another of the best answers
    first, second = solve(problem, patient), solve(problem, patient)
    if first.fully_proven and second.fully_proven:
        assert np.array_equal(first.placement, second.placement)


def test_pods_that_ask_for_nothing_still_keep_a_nodes_limit() -> None:
    """Their room is without end, the limit is not."""
    each_node = Constraints(limits=(Limit(frozenset({0}), (0, 1), 1),))
    problem = make_problem([[5], [5]], [PodClass("idle", 0, (0,), 3)], (), each_node)
    solution = solve(problem, QUICK)
    assert verify(problem, solution).violations == ()
    assert solution.tiers[0].placed == 2
