"""Pack all placed pods anew, node by node, by rules that suit several resources at once: how few nodes would do?

A node is opened for the class with the fewest places to go and, of equals, the largest; then whatever suits the room that
remains is added: the largest dot product of request and room, or the least squared rest (Panigrahy et al., Heuristics for
vector bin packing, 2011). It beats best fit decreasing, which is why that is not here. Where pods stood is ignored, but for the
order in which nodes of a size are opened.

Cost: a pass over the classes for each pod placed; 0.5 ms at 410 pods of 170 classes. Releases the GIL.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from berth_solver.anneal import FloatArray
from berth_solver.compiled import compiled
from berth_solver.problem import BoolArray, IntArray
from berth_solver.state import Ground, State

MOST_LOOKS = 20_000_000
"""(pod, class) pairs to look at in one packing, about 50 ms."""


@compiled
def _pack(
    cap: IntArray,
    load: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    weight: FloatArray,
    choices: IntArray,
    squared: bool,
    favour: float,
    order: IntArray,
    opened: BoolArray,
    left: IntArray,
    limit: int,
    node_of: IntArray,
    class_of: IntArray,
) -> int:
    """Place left[c] more pods of each class; opens nodes of `order` as needed, at most `limit`. Returns pods placed.

    weight [R]: of each resource, per unit. choices [C]: on how many nodes a class may be. squared: least squared rest, not
    largest dot product. favour: how much classes with few choices are preferred. opened [N]: nodes that are in use already
    are filled first. node_of, class_of: the placements. load and left are changed.
    """
    r_count = cap.shape[1]
    classes = left.shape[0]
    nodes = order.shape[0]
    placed = 0
    open_count = 0
    waiting = 0
    for c in range(classes):
        waiting += left[c]
    for n in range(opened.shape[0]):
        if opened[n]:
            open_count += 1
    size = np.zeros(classes, np.float64)
    appeal = np.ones(classes, np.float64)
    for c in range(classes):
        for r in range(r_count):
            size[c] += req[c, r] * weight[r]
        appeal[c] = 1.0 + favour * (1.0 - choices[c] / max(1.0, float(nodes)))
    room = np.empty(r_count, np.int64)
    done = np.zeros(opened.shape[0], np.bool_)
    already = 0
    unopened = 0
    while waiting > 0:
        n = -1
        while already < nodes:
            if opened[order[already]] and not done[order[already]]:
                n = order[already]
                break
            already += 1
        seed = -1
        if n < 0:
            if open_count >= limit:
                break
            # a node for the class with the fewest choices, the largest of equals
            for c in range(classes):
                if left[c] > 0 and (
                    seed < 0 or choices[c] < choices[seed] or (choices[c] == choices[seed] and size[c] > size[seed])
                ):
                    seed = c
            while unopened < nodes and opened[order[unopened]]:
                unopened += 1
            for x in range(unopened, nodes):
                t = order[x]
                if opened[t] or not mask[group[seed], t]:
                    continue
                fits = True
                for r in range(r_count):
                    if req[seed, r] > 0 and req[seed, r] > cap[t, r] - load[t, r]:
                        fits = False
                if fits:
                    n = t
                    break
            if n < 0:
                break
            opened[n] = True
            open_count += 1
        done[n] = True
        for r in range(r_count):
            room[r] = cap[n, r] - load[n, r]
        c = seed
        while True:
            if c < 0:
                best = -1e300
                for d in range(classes):
                    if left[d] == 0 or not mask[group[d], n]:
                        continue
                    score = 0.0
                    fits = True
                    for r in range(r_count):
                        if req[d, r] > room[r] and req[d, r] > 0:
                            fits = False
                            break
                        if squared:
                            rest = (room[r] - req[d, r]) * weight[r]
                            score -= rest * rest
                        else:
                            score += req[d, r] * weight[r] * room[r] * weight[r]
                    if not fits:
                        continue
                    score = score / appeal[d] if squared else score * appeal[d]
                    if score > best:
                        best = score
                        c = d
            if c < 0:
                break
            node_of[placed] = n
            class_of[placed] = c
            placed += 1
            left[c] -= 1
            waiting -= 1
            for r in range(r_count):
                room[r] -= req[c, r]
                load[n, r] += req[c, r]
            c = -1
    return placed


@dataclass(frozen=True, slots=True)
class Rule:
    """How the next pod for a node is chosen. weight: of each resource; favour: of classes with few places to go."""

    squared: bool
    weight: FloatArray
    favour: float
    shuffle: float
    """How far the order of nodes is from that of their size."""


class Packer:
    """Packs the pods that a state places, as often as wanted."""

    def __init__(self, ground: Ground, state: State) -> None:
        self.ground = ground
        nodes = len(ground.problem.nodes)
        self.total = np.bincount(ground.cls[state.node >= 0], minlength=len(ground.req)).astype(np.int64)
        self.choices = ground.mask.sum(axis=1).astype(np.int64)[ground.group]
        # pods that stay where no new one of their class may come are left there, and their nodes are in use
        at = np.flatnonzero(state.node >= 0)
        self.fixed: IntArray = at[~ground.mask[ground.group[ground.cls[at]], state.node[at]]]
        self.where: IntArray = state.node
        self.load = np.zeros_like(ground.cap)
        np.add.at(self.load, state.node[self.fixed], ground.req[ground.cls[self.fixed]])
        self.opened = np.zeros(nodes, np.bool_)
        self.opened[state.node[self.fixed]] = True
        self.left = self.total - np.bincount(ground.cls[self.fixed], minlength=len(ground.req))
        self.size = (ground.cap * ground.scale).sum(axis=1)
        movable = np.array([c.movable for c in ground.problem.classes], np.bool_)
        self.keeps = (ground.cost * movable) @ ground.problem.standing_counts
        demand = (self.total @ ground.req) * ground.scale
        self.scarcity = demand / max(float(demand.max(initial=0.0)), 1e-12)

    @property
    def is_slow(self) -> bool:
        """Whether one packing takes too long to be bounded by a look at the clock after it."""
        return int(self.left.sum()) * int((self.left > 0).sum()) > MOST_LOOKS

    def rule(self, random: np.random.Generator, attempt: int) -> Rule:
        """The plain rules first, then variations drawn at random."""
        if attempt <= 4:
            weight = self.ground.scale * (self.scarcity if attempt <= 2 else 1.0)
            return Rule(attempt % 2 == 0, weight, 1.0, 0.0)
        weight = self.ground.scale * (self.scarcity if random.random() < 0.7 else 1.0)
        weight = weight * np.exp(random.normal(0.0, random.choice([0.0, 0.2, 0.6]), len(weight)))
        return Rule(
            bool(random.random() < 0.5),
            weight,
            float(random.choice([0.0, 1.0, 4.0])),
            float(random.choice([0.0, 0.0, 0.1, 0.5])),
        )

    def attempt(self, rule: Rule, most_nodes: int, random: np.random.Generator, seed: int) -> State | None:
        """All pods on at most `most_nodes` nodes, or None."""
        g = self.ground
        size = self.size * (1.0 + rule.shuffle * random.random(len(self.size)))
        order = np.lexsort((-self.keeps, -size))
        pods = int(self.left.sum())
        node_of, class_of = np.empty(pods, np.int64), np.empty(pods, np.int64)
        load, opened, left = self.load.copy(), self.opened.copy(), self.left.copy()
        placed = _pack(
            g.cap, load, g.req, g.mask, g.group, rule.weight, self.choices, rule.squared, rule.favour,
            order, opened, left, most_nodes, node_of, class_of,
        )  # fmt: skip
        if placed < pods:
            return None
        table = np.zeros((len(g.req), len(g.cap)), np.int64)
        np.add.at(table, (class_of, node_of), 1)
        np.add.at(table, (g.cls[self.fixed], self.where[self.fixed]), 1)
        return State.of(g, table, seed)
