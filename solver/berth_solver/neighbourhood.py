"""Which part of a large placement to reopen, around what one would like to change.

A neighbourhood is a handful of nodes with everything on them, plus the pods elsewhere that the rules of the pods in
question look at. Nodes are ranked by how little would have to leave them for one more pod; receivers for what leaves are
those with most room. A random part of the ranking makes every try a different one. Costs about 0.3 ms at 1,000 nodes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np

from berth_solver.cpsat_counts import Neighbourhood
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray
from berth_solver.rules import LimitRule, SpreadRule

MOST_RELATED_CLASSES = 40
"""Classes that are reopened only because a rule relates them to the pods in question."""
MOST_PAIRS_ELSEWHERE = 60
"""Pairs that are reopened outside the chosen nodes."""
MOST_NODES_FOR_A_GANG = 64
FEW_KINDS = 12
"""Where no more classes make way for a gang, many nodes may receive them: the model stays small."""
MOST_RECEIVERS = 400
RECEIVING_SLACK = 1.3
"""Room to look for, by what leaves: not all of it can be used."""
TARGET_SHARE = 0.6
"""Of the chosen nodes; the others receive what has to leave the targets."""


def around_waiting(occupancy: Occupancy, unit: tuple[int, ...], size: int, rng: random.Random) -> Neighbourhood | None:
    """Nodes where pods of the unit could come to stand, and nodes for those that make way. None where no node can hold it."""
    missing = [c for c in unit if occupancy.placed[c] < occupancy.problem.totals[c]]
    nodes: dict[int, None] = {}
    targets = max(1, round(size * TARGET_SHARE))
    together = 0
    is_gang = any(occupancy.rules.gangs_of[c] for c in unit)
    if is_gang:  # all of them or none: nodes for each, and the rest for what leaves
        together = min(sum(_nodes_needed(occupancy, c) for c in missing), MOST_NODES_FOR_A_GANG)
        targets, size = targets + together, size + together
    needed = {c: _nodes_needed(occupancy, c) for c in missing}
    for c in missing:
        for n in _targets(occupancy, c, -(-targets * needed[c] // sum(needed.values())), rng):
            nodes[n] = None
    if not nodes:
        return None
    for_the_unit = sorted(nodes)
    count = max(size - len(nodes), 1)
    if is_gang:
        nodes.update(dict.fromkeys(_receivers_of_all(occupancy, for_the_unit, together, count, rng)))
    else:
        nodes.update(dict.fromkeys(_receivers(occupancy, count, rng)))
    free = around_nodes(occupancy, nodes, unit, rng)
    return _for_the_unit_alone(occupancy, free, for_the_unit, unit) if is_gang else free


def _nodes_needed(occupancy: Occupancy, c: int) -> int:
    """Empty nodes that the missing pods of a class would fill, by the largest node and the strictest limit."""
    problem = occupancy.problem
    asks = problem.requests[c] > 0
    a_node = (problem.capacity.max(axis=0)[asks] // problem.requests[c][asks]).tolist()
    a_node += [r.limit.maximum for r in occupancy.rules.domain_rules_of[c] if isinstance(r, LimitRule)]
    missing = int(problem.totals[c] - occupancy.placed[c])
    return int(-(-missing // max(1, min([missing, *a_node]))))


def _for_the_unit_alone(
    occupancy: Occupancy, free: Neighbourhood, nodes: list[int], unit: tuple[int, ...]
) -> Neighbourhood:
    """The nodes take nobody but the unit: what leaves one of them does not go to another. A quarter of the model's size."""
    taken = np.isin(free.nodes, np.array(nodes, np.int64))
    others = ~np.isin(free.classes, np.array(unit, np.int64))
    here = np.ix_(free.classes, free.nodes)
    at_home = (occupancy.placement[here] > 0) | (occupancy.problem.standing_counts[here] > 0)
    return Neighbourhood(free.classes, free.nodes, free.pairs & ~(np.outer(others, taken) & ~at_home))


def around_moved(occupancy: Occupancy, c: int, home: int, size: int, rng: random.Random) -> Neighbourhood:
    """The node that a pod of class c had to leave, where pods of the class are new, and some with room."""
    fresh = np.flatnonzero(occupancy.placement[c] > occupancy.problem.standing_counts[c]).tolist()
    nodes = dict.fromkeys([home, *rng.sample(fresh, min(len(fresh), max(size // 3, 1)))])
    guests = np.flatnonzero(occupancy.placement[:, home] > occupancy.problem.standing_counts[:, home]).tolist()
    for guest in rng.sample(guests, min(len(guests), max(size // 3, 1))):  # they came from somewhere, and may go back
        came_from = np.flatnonzero(occupancy.placement[guest] < occupancy.problem.standing_counts[guest]).tolist()
        if came_from:
            nodes[rng.choice(came_from)] = None
    for n in _receivers(occupancy, max(size - len(nodes), 1), rng):
        nodes[n] = None
    return around_nodes(occupancy, nodes, (c,), rng)


def around_nodes(
    occupancy: Occupancy, nodes: Iterable[int], unit: tuple[int, ...], rng: random.Random
) -> Neighbourhood:
    """Everything on the nodes and the unit's own pods wherever they are; related pods elsewhere as far as the caps go."""
    rules, problem = occupancy.rules, occupancy.problem
    chosen = np.array(sorted(set(nodes)), np.int64)
    there = occupancy.placement[:, chosen].any(axis=1) | (problem.standing_counts[:, chosen] > 0).any(axis=1)
    there &= rules.movable
    there[list(unit)] = True
    related = _related(occupancy, unit, rng)
    classes = np.union1d(np.flatnonzero(there), np.array(related, np.int64)).astype(np.int64)
    elsewhere = _pairs_elsewhere(occupancy, [*unit, *related], chosen, rng)
    all_nodes = np.union1d(chosen, np.array([n for _, n in elsewhere], np.int64)).astype(np.int64)
    pairs = np.zeros((len(classes), len(all_nodes)), np.bool_)
    pairs[:, np.searchsorted(all_nodes, chosen)] = True
    for c, n in elsewhere:
        pairs[np.searchsorted(classes, c), np.searchsorted(all_nodes, n)] = True
    return Neighbourhood(classes, all_nodes, pairs)


def _targets(occupancy: Occupancy, c: int, count: int, rng: random.Random) -> list[int]:
    """Nodes that could hold a pod of class c, those first that need to give up least for it."""
    problem = occupancy.problem
    request = problem.requests[c]
    possible = problem.eligibility[c] & ~problem.overloaded & (problem.capacity >= request).all(axis=1)
    candidates = np.flatnonzero(possible)
    stuck = _out_of_budget(occupancy)
    if len(stuck):
        remain = np.minimum(occupancy.placement, problem.standing_counts)[np.ix_(stuck, candidates)]
        emptied = problem.capacity[candidates] - remain.T @ problem.requests[stuck]
        candidates = candidates[(emptied >= request).all(axis=1)]
    if not len(candidates):
        return []
    typical = np.maximum(np.maximum(problem.capacity, 0).mean(axis=0), 1.0)
    free = occupancy.free[candidates]
    if rng.random() < 0.5:  # what is of lower priority may leave without a new place
        lower = np.flatnonzero(occupancy.rules.movable & (occupancy.rules.tier_of > occupancy.rules.tier_of[c]))
        free = free + occupancy.placement[np.ix_(lower, candidates)].T @ problem.requests[lower]
    lacking = (np.maximum(request - free, 0) / typical).sum(axis=1)
    noise = np.array([rng.random() for _ in range(len(candidates))])
    order = candidates[np.argsort(lacking * (0.5 + noise) + 1e-6 * noise, kind="stable")]
    return _over_domains(occupancy, c, order, count)


def _out_of_budget(occupancy: Occupancy) -> IntArray:
    """Classes of which no further pod may leave its node."""
    rules = occupancy.rules
    drawn = {id(b): b for c in np.flatnonzero(occupancy.left_of).tolist() for b in rules.budgets_of[c]}.values()
    spent = rules.held + [b for b in drawn if int(occupancy.left_of[b.classes].sum()) >= b.budget.max_disrupted]
    return np.unique(np.concatenate([b.classes for b in spent])) if spent else np.zeros(0, np.int64)


def _over_domains(occupancy: Occupancy, c: int, order: IntArray, count: int) -> list[int]:
    """The first nodes in order; for a class that must be spread, taken in turn from the emptiest domains."""
    spread = next((r for r in occupancy.rules.domain_rules_of[c] if isinstance(r, SpreadRule)), None)
    if spread is None or c not in spread.spread.classes:
        return [int(n) for n in order[:count]]
    of = spread.bound.domains.of
    counts = occupancy.counts[spread.counted.index]
    queues: dict[int, list[int]] = {}
    for n in order.tolist():
        if of[n] >= 0:
            queues.setdefault(int(of[n]), []).append(n)
    chosen: list[int] = []
    domains = sorted(queues, key=lambda d: int(counts[d]))
    turn = 0
    while len(chosen) < min(count, sum(len(q) for q in queues.values()) + len(chosen)):
        queue = queues[domains[turn % len(domains)]]
        if queue:
            chosen.append(queue.pop(0))
        turn += 1
    return chosen


def _receivers(occupancy: Occupancy, count: int, rng: random.Random) -> list[int]:
    """Nodes with room, drawn at random in favour of the roomiest."""
    problem = occupancy.problem
    typical = np.maximum(np.maximum(problem.capacity, 0).mean(axis=0), 1.0)
    room = np.maximum(occupancy.free, 0) / typical
    weight = room.min(axis=1) + 0.25 * room.mean(axis=1)
    weight[problem.overloaded] = 0.0
    noise = np.array([rng.random() for _ in range(len(weight))])
    return [int(n) for n in np.argsort(-weight * noise, kind="stable")[:count]]


def _receivers_of_all(
    occupancy: Occupancy, targets: list[int], emptied: int, least: int, rng: random.Random
) -> list[int]:
    """Enough receivers for all that has to leave the emptiest of the targets, where that keeps the model small."""
    problem = occupancy.problem
    if int(occupancy.placement[:, targets].any(axis=1).sum()) > FEW_KINDS:
        return _receivers(occupancy, least, rng)
    load = problem.capacity[targets] - occupancy.free[targets]
    leaves = np.sort(load, axis=0)[:emptied].sum(axis=0) * RECEIVING_SLACK
    order = [n for n in _receivers(occupancy, len(problem.nodes), rng) if n not in set(targets)]
    room = np.maximum(occupancy.free[order], 0).cumsum(axis=0)
    enough = int((room < leaves).any(axis=1).sum()) + 1
    return order[: max(least, min(enough, MOST_RECEIVERS))]


def _related(occupancy: Occupancy, unit: tuple[int, ...], rng: random.Random) -> list[int]:
    """Movable classes that some rule looks at together with the unit."""
    found: set[int] = set()
    for c in unit:
        for tally in occupancy.rules.tallies_of[c]:
            found.update(tally.classes.tolist())
        for rule in occupancy.rules.domain_rules_of[c]:
            for tally in vars(rule).values():
                if hasattr(tally, "classes") and hasattr(tally, "domains"):
                    found.update(tally.classes.tolist())
    others = sorted(c for c in found - set(unit) if occupancy.rules.movable[c])
    return others if len(others) <= MOST_RELATED_CLASSES else rng.sample(others, MOST_RELATED_CLASSES)


def _pairs_elsewhere(
    occupancy: Occupancy, classes: list[int], chosen: IntArray, rng: random.Random
) -> list[tuple[int, int]]:
    outside = np.ones(len(occupancy.problem.nodes), np.bool_)
    outside[chosen] = False
    movable = [c for c in classes if occupancy.rules.movable[c]]
    found = np.argwhere((occupancy.placement[movable] > 0) & outside)
    pairs = [(movable[i], n) for i, n in found.tolist()]
    return pairs if len(pairs) <= MOST_PAIRS_ELSEWHERE else rng.sample(pairs, MOST_PAIRS_ELSEWHERE)
