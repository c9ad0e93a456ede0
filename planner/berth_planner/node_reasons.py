"""Node by node, what keeps a pending pod away, in the order in which kube-scheduler's filters would say it.

One pass of array operations for a class and for each rule that binds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from berth_api.reasons import Reason
from berth_cluster.snapshot import PodSpec
from berth_planner.explanation import NodeReason
from berth_planner.live_state import LiveState
from berth_planner.node_sets import Mask
from berth_planner.packing import Packing
from berth_solver.problem import IntArray


@dataclass(frozen=True, slots=True)
class Against:
    """masks[reason]: nodes rejected for it first, before room is looked at. short[r]: open nodes short of resource r."""

    masks: dict[Reason, Mask]
    short: dict[int, Mask]
    by_rule: dict[Reason, Mask]
    open: Mask
    """Nodes that nothing but room or a rule between movable pods stands against."""
    admitted: Mask
    free: IntArray
    """[nodes, resources]"""

    def reasons(self, resources: tuple[str, ...]) -> tuple[NodeReason, ...]:
        found = [NodeReason(reason, int(mask.sum())) for reason, mask in (*self.masks.items(), *self.by_rule.items())]
        for r, mask in self.short.items():
            name = resources[r]
            if name == "pods":
                found.append(NodeReason(Reason.TOO_MANY_PODS, int(mask.sum())))
            else:
                found.append(NodeReason(Reason.INSUFFICIENT_RESOURCE, int(mask.sum()), name))
        return tuple(sorted((f for f in found if f.nodes), key=lambda f: (-f.nodes, f.reason, f.resource)))


def against(packing: Packing, c: int, spec: PodSpec, state: LiveState, free: IntArray) -> Against:
    """Everything that stands against a new pod of class c, as things are in `state`, whose free room is `free`."""
    masks = dict(packing.node_sets.index.reasons(spec))
    still_open = np.ones(len(packing.problem.nodes), np.bool_)
    for mask in masks.values():
        still_open &= ~mask
    for reason, denied in packing.members[c].denied.items():
        rejected = still_open & denied
        if rejected.any():
            masks[reason] = masks[reason] | rejected if reason in masks else rejected
            still_open &= ~denied
    over = still_open & packing.problem.overloaded & (free < 0).any(axis=1)
    if over.any():
        masks[Reason.NODE_OVERLOADED] = over
        still_open &= ~over
    short = {}
    room = still_open.copy()
    for r, amount in state.needs[c]:
        lacking = still_open & (free[:, r] < amount)
        if lacking.any():
            short[r] = lacking
            room &= ~lacking
    by_rule: dict[Reason, Mask] = {}
    admitted = room
    for rule in state.rules_of(c):
        rejected = admitted & ~rule.passing(c)
        if rejected.any():
            reason = packing.rule_reasons.get(rule.name, Reason.ANTI_AFFINITY)
            by_rule[reason] = by_rule.get(reason, rejected) | rejected
            admitted = admitted & ~rejected
    return Against(masks, short, by_rule, still_open, admitted, free)
