"""What single change would let a waiting pod in: a node back in service, a smaller request, one more node, other wishes.

Each is tried against the cluster as it is once the plan is done, so that it holds beside the plan, not instead of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from berth_api.reasons import Reason
from berth_cluster.matching import UNSCHEDULABLE_TAINT, node_matches
from berth_cluster.snapshot import Node, PodSpec
from berth_planner.amounts import amount_text
from berth_planner.explanation import Remedy, RemedyKind
from berth_planner.live_state import LiveState, Rule
from berth_planner.node_reasons import Against
from berth_planner.node_sets import Mask
from berth_planner.packing import Packing, belongs_to_node
from berth_solver.problem import NO_DOMAIN

MAX_NODES_TRIED = 200
"""Nodes with room that are looked at for each kind of change."""

SMALL_CUT = 0.5
"""A request cut by no more than this share is a smaller change than buying a node."""


@dataclass(frozen=True, slots=True)
class Needed:
    """together: pods that need a place at once (a gang), or 1. alike: pods that wait in the same position."""

    together: int
    alike: int


def remedies(
    packing: Packing,
    c: int,
    spec: PodSpec,
    state: LiveState,
    found: Against,
    shapes: Sequence[NodeShape],
    needed: Needed,
) -> tuple[Remedy, ...]:
    """The smallest change first."""
    count = needed.together
    cuts = list(_fewer(packing, c, spec, state, found)) if count == 1 else []
    small = [remedy for remedy, share in cuts if share <= SMALL_CUT]
    large = [remedy for remedy, share in cuts if share > SMALL_CUT]
    changed = list(_other_nodes(packing, c, spec, state, found)) if count == 1 else []
    in_service = [r for r in changed if r.kind in ("uncordon", "node-ready")]
    other_wishes = [r for r in changed if r.kind not in ("uncordon", "node-ready")]
    ruled_out = packing.members[c].denied.get(Reason.HINT_ENFORCED)
    suitable = [s for s in shapes if ruled_out is None or not ruled_out[s.alike].all()]
    added = list(_one_more_node(c, spec, state, suitable, needed))
    return (*in_service, *small, *added, *other_wishes, *large)


def _fewer(packing: Packing, c: int, spec: PodSpec, state: LiveState, found: Against) -> Iterable[tuple[Remedy, float]]:
    """The largest request that fits on some node, for each resource alone; with the share that has to go."""
    free = found.free
    for r, amount in state.needs[c]:
        name = packing.problem.resources[r]
        if name == "pods" or r not in found.short:
            continue
        enough = found.open.copy()
        for other, needed in state.needs[c]:
            if other != r:
                enough &= free[:, other] >= needed
        for n in sorted(np.flatnonzero(enough & (free[:, r] > 0)), key=lambda n: -int(free[n, r]))[:MAX_NODES_TRIED]:
            if state.broken_rule(c, int(n)) is None:
                cut = amount - int(free[n, r])
                message = f"with {amount_text(name, cut)} fewer ({amount_text(name, int(free[n, r]))} fit on {packing.problem.nodes[n]})"
                yield Remedy("fewer", message, packing.problem.nodes[n], name, cut), cut / amount
                break


def _other_nodes(packing: Packing, c: int, spec: PodSpec, state: LiveState, found: Against) -> Iterable[Remedy]:
    """Nodes with room that only a cordon, a taint or the pod's own wish keeps away."""
    changes: tuple[tuple[Reason, RemedyKind, Callable[[Node], bool], str], ...] = (
        (
            Reason.UNSCHEDULABLE,
            "uncordon",
            lambda n: (
                node_matches(spec, msgspec.structs.replace(n, unschedulable=False, taints=_without_cordon(n))) is None
            ),
            "if {node} were uncordoned",
        ),
        (
            Reason.NODE_NOT_READY,
            "node-ready",
            lambda n: node_matches(spec, msgspec.structs.replace(n, ready=True)) is None,
            "once {node} is ready",
        ),
        (
            Reason.NODE_SELECTOR_MISMATCH,
            "node-selector",
            lambda n: node_matches(msgspec.structs.replace(spec, node_selector=(), node_affinity=None), n) is None,
            "if its node selector or affinity allowed {node}",
        ),
        (
            Reason.UNTOLERATED_TAINT,
            "toleration",
            lambda n: node_matches(spec, msgspec.structs.replace(n, taints=())) is None,
            "if it tolerated the taints of {node}",
        ),
        (
            Reason.HINT_ENFORCED,
            "hint",
            lambda n: node_matches(spec, n) is None,
            "if the strong wish of its hint, which is enforced here, allowed {node}",
        ),
    )
    for reason, kind, would_match, message in changes:
        mask = found.masks.get(reason)
        if mask is None:
            continue
        node = _first(packing, c, state, mask, reason, would_match)
        if node is not None:
            yield Remedy(kind, message.format(node=node.name), node.name)


def _without_cordon(node: Node) -> tuple[object, ...]:
    return tuple(t for t in node.taints if t.key != UNSCHEDULABLE_TAINT.key)


def _first(
    packing: Packing, c: int, state: LiveState, mask: Mask, reason: Reason, would_match: Callable[[Node], bool]
) -> Node | None:
    denied = [closed for why, closed in packing.members[c].denied.items() if why is not reason]
    with_room = (n for n in np.flatnonzero(mask).tolist() if state.admits(c, n) and not any(d[n] for d in denied))
    for _, n in zip(range(MAX_NODES_TRIED), with_room, strict=False):
        if would_match(packing.snapshot.nodes[n]):
            return packing.snapshot.nodes[n]
    return None


@dataclass(frozen=True, slots=True)
class NodeShape:
    """Nodes that a new one could be like: an example, and the room that one more of them would bring."""

    alike: list[int]
    """All that there are; the first is the example."""
    fresh: Node
    room: dict[str, int]
    weight: float
    """How dear it is, roughly: accelerators before cores before memory."""


def node_shapes(packing: Packing) -> tuple[NodeShape, ...]:
    """Every kind of node in the cluster, cheapest first. What DaemonSets and the node itself run is taken off its room."""
    daemons: dict[str, list[PodSpec]] = defaultdict(list)
    for pod in packing.snapshot.pods:
        if pod.node is not None and belongs_to_node(pod):
            daemons[pod.node].append(pod.spec)
    seen: dict[object, NodeShape] = {}
    for n, node in enumerate(packing.snapshot.nodes):
        taints = tuple(t for t in node.taints if t.key != UNSCHEDULABLE_TAINT.key)
        shape = (node.allocatable, taints, frozenset(i for i in node.labels.items() if i[1] != node.name))
        if shape in seen:
            seen[shape].alike.append(n)
            continue
        room = node.amounts
        for spec in daemons[node.name]:
            for name, amount in spec.requests:
                room[name] = room.get(name, 0) - amount
        fresh = msgspec.structs.replace(node, unschedulable=False, ready=True, taints=taints)
        seen[shape] = NodeShape([n], fresh, room, _weight(node))
    return tuple(sorted(seen.values(), key=lambda s: s.weight))


def _weight(node: Node) -> float:
    amounts = node.amounts
    devices = sum(a for name, a in amounts.items() if "/" in name)
    return devices * 1e6 + amounts.get("cpu", 0) + amounts.get("memory", 0) / (1 << 30)


def _one_more_node(
    c: int, spec: PodSpec, state: LiveState, shapes: Iterable[NodeShape], needed: Needed
) -> Iterable[Remedy]:
    """The cheapest shape of node of which one more (for a gang: as many as it takes) would do."""
    best: tuple[float, int, int, NodeShape] | None = None
    limits = [rule.limit for rule in state.rules_of(c) if rule.kind == "limit" and _is_per_node(rule)]
    for shape in shapes:
        each = min((shape.room.get(name, 0) // amount for name, amount in spec.requests if amount), default=0)
        if each < 1 or node_matches(spec, shape.fresh) is not None:
            continue
        if not _rules_allow_new(state.rules_of(c), c, shape.alike[0]):
            continue
        each = min((each, *limits))
        nodes = math.ceil(needed.together / each)
        if best is None or nodes * shape.weight < best[0]:
            best = nodes * shape.weight, nodes, math.ceil(needed.alike / each), shape
    if best is not None:
        _, nodes, for_all, shape = best
        like = shape.fresh.name
        message = f"if there were {'one more node' if nodes == 1 else f'{nodes} more nodes'} like {like}"
        if for_all > nodes:
            message += f" ({for_all} for all {needed.alike} pods)"
        yield Remedy("one-more-node", message, like, amount=nodes)


def _rules_allow_new(rules: Iterable[Rule], c: int, like: int) -> bool:
    """Rules on an added node: a domain of its own where domains are single nodes, else the domain of its like."""
    return all(rule.passes_fresh(c) if _is_per_node(rule) else rule.passes(c, like) for rule in rules)


def _is_per_node(rule: Rule) -> bool:
    """Every domain is a single node."""
    used = [d for d in rule.domain_of if d != NO_DOMAIN]
    return len(set(used)) == len(used)
