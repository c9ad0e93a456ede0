"""What the harness recomputes from a placement itself, so that no solver is believed about its own answer.

Written against the words of `berth_solver.problem`, with none of the solver's code: capacity, totals, gangs, counts by tier,
moves and evictions, and whether reported values, bounds and certificates agree with them. The product's own verifier, which
also recomputes the evidence behind each bound, is called on top of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Solution

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Disruption:
    """Running pods that are not left on their node: `moves` run elsewhere afterwards, `evictions` nowhere."""

    moves: int
    evictions: int

    @property
    def pods(self) -> int:
        return self.moves + self.evictions


def placed_by_tier(problem: Problem, placement: IntArray) -> tuple[int, ...]:
    """Pods placed per priority, highest first: what is compared lexicographically."""
    placed = placement.sum(axis=1)
    totals = dict.fromkeys(problem.priorities, 0)
    for pod_class, count in zip(problem.classes, placed.tolist(), strict=True):
        totals[pod_class.priority] += count
    return tuple(totals.values())


def disruption(problem: Problem, placement: IntArray) -> Disruption:
    """Pods of one class are interchangeable: on each node as many stay as both stood and stand there."""
    standing = problem.standing_counts
    left = standing.sum(axis=1) - np.minimum(standing, placement).sum(axis=1)
    evicted = np.maximum(0, standing.sum(axis=1) - placement.sum(axis=1))
    return Disruption(int((left - evicted).sum()), int(evicted.sum()))


def faults(problem: Problem, placement: IntArray) -> list[str]:
    """Why the placement is not allowed; empty when it is."""
    if placement.shape != (len(problem.classes), len(problem.nodes)):
        return [f"placement has shape {placement.shape}"]
    found = []
    if (placement < 0).any():
        found.append("a count is negative")
    if (placement.sum(axis=1) > problem.totals).any():
        found.append("more pods of a class are placed than exist")
    load = placement.T @ problem.requests
    new = (placement > problem.standing_counts).any(axis=0)
    over = (load > problem.capacity).any(axis=1)
    if (over & new).any() or (over & ~problem.overloaded).any():
        found.append(f"{int(over.sum())} nodes are over their capacity")
    if ((placement > problem.standing_counts) & ~problem.eligibility).any():
        found.append("a new pod is on a node that is not eligible")
    for gang in problem.constraints.gangs:
        members = sorted(gang.classes)
        running = int(placement[members].sum())
        gained = bool((placement[members] > problem.standing_counts[members]).any())
        if 0 < running < gang.minimum and gained:
            found.append(f"gang {gang.name} runs with {running} of at least {gang.minimum}")
    return found


def report_faults(problem: Problem, solution: Solution) -> list[str]:
    """Where the solution's report disagrees with its placement or with itself; empty when nowhere."""
    found = faults(problem, solution.placement)
    if found:
        return found
    counts = placed_by_tier(problem, solution.placement)
    if tuple(t.priority for t in solution.tiers) != problem.priorities:
        return ["tiers are not the problem's priorities, highest first"]
    for tier, placed in zip(solution.tiers, counts, strict=True):
        if tier.placed != placed:
            found.append(f"tier {tier.priority}: {tier.placed} reported, {placed} placed")
        if not placed <= tier.bound <= tier.pods:
            found.append(f"tier {tier.priority}: bound {tier.bound} for {placed} placed of {tier.pods}")
    if all(c.move_cost == 1 for c in problem.classes):
        disturbed = disruption(problem, solution.placement).pods
        if abs(solution.disruption.value - disturbed) > TOLERANCE:
            found.append(f"disruption: {solution.disruption.value:g} reported, {disturbed} found")
    if solution.disruption.bound > solution.disruption.value + TOLERANCE:
        found.append(f"disruption: bound {solution.disruption.bound:g} above {solution.disruption.value:g}")
    if not problem.constraints and counts < placed_by_tier(problem, problem.standing_counts):
        found.append("worse than what stands")
    return found


def proof_faults(solution: Solution, counts: tuple[int, ...], other: tuple[int, ...], disturbed: int) -> list[str]:
    """Where another solver's valid answer (`other` placed by tier, `disturbed` pods) refutes the solution's certificates.

    A bound of a tier holds given the counts above it, so the first tier where the two differ is the one that tells.
    """
    for tier, mine, theirs in zip(solution.tiers, counts, other, strict=True):
        if theirs > tier.bound:
            return [f"tier {tier.priority}: bound {tier.bound}, yet {theirs} can be placed"]
        if theirs != mine:
            return []
    if disturbed < solution.disruption.bound - TOLERANCE:
        return [f"disruption: bound {solution.disruption.bound:g}, yet {disturbed} are enough"]
    return []
