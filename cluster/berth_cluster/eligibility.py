"""`node_matches` for all nodes at once.

Each label key that a selector mentions is turned into one array of value codes, each distinct requirement into one mask,
each distinct set of tolerations into one mask over the distinct sets of taints; terms combine masks. All are kept, so that
thousands of specs that differ in few requirements cost a few array operations each. Measured with 5,000 nodes: the
first use of a key 0.8 ms, a further requirement 30 microseconds, a known spec 4; 3,000 specs over 300 racks 34 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from berth_api.reasons import Reason
from berth_cluster.matching import UNSCHEDULABLE_TAINT, compares, tolerates, untolerated
from berth_cluster.snapshot import Node, NodeTerm, Operator, PodSpec, Requirement, Toleration

BoolArray = npt.NDArray[np.bool_]

_ABSENT = -1


class NodeIndex:
    """Answers for one fixed sequence of nodes; arrays are indexed as that sequence and must not be written to."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._size = len(nodes)
        self._ready = np.fromiter((n.ready for n in nodes), np.bool_, self._size)
        self._cordoned = np.fromiter((n.unschedulable for n in nodes), np.bool_, self._size)
        self._taint_sets = tuple(dict.fromkeys(n.taints for n in nodes))
        code_of = {taints: code for code, taints in enumerate(self._taint_sets)}
        self._taint_code = np.fromiter((code_of[n.taints] for n in nodes), np.int64, self._size)
        self._keys: dict[tuple[str, bool], tuple[dict[str, int], npt.NDArray[np.int64]]] = {}
        self._requirements: dict[Requirement, BoolArray] = {}
        self._terms: dict[tuple[NodeTerm, ...], BoolArray] = {}
        self._tolerated: dict[tuple[Toleration, ...], BoolArray] = {}
        self._selected: dict[tuple[object, object], BoolArray] = {}

    def eligible(self, spec: PodSpec) -> BoolArray:
        """bool [nodes]: the node may take a new pod of this spec, capacity aside."""
        mask = self._ready & self._open(spec) & self.tolerated(spec.tolerations) & self.selected(spec)
        for terms in spec.volume_nodes:
            mask = mask & self._any_term(terms)
        return mask

    def reasons(self, spec: PodSpec) -> dict[Reason, BoolArray]:
        """What stands against each node first, as `node_matches` says it; reasons that no node has are left out."""
        volumes = np.ones(self._size, np.bool_)
        for terms in spec.volume_nodes:
            volumes = volumes & self._any_term(terms)
        left = np.ones(self._size, np.bool_)
        found: dict[Reason, BoolArray] = {}
        for reason, passes in (
            (Reason.NODE_NOT_READY, self._ready),
            (Reason.UNSCHEDULABLE, self._open(spec)),
            (Reason.UNTOLERATED_TAINT, self.tolerated(spec.tolerations)),
            (Reason.NODE_SELECTOR_MISMATCH, self.selected(spec)),
            (Reason.VOLUME_ZONE_CONFLICT, volumes),
        ):
            rejected = left & ~passes
            if rejected.any():
                found[reason] = rejected
            left = left & passes
        return found

    def selected(self, spec: PodSpec) -> BoolArray:
        """bool [nodes]: nodeSelector and required node affinity alone."""
        key = (spec.node_selector, spec.node_affinity)
        mask = self._selected.get(key)
        if mask is None:
            mask = np.ones(self._size, np.bool_)
            for label, value in spec.node_selector:
                mask = mask & self._requirement(Requirement(label, Operator.IN, (value,)))
            if spec.node_affinity is not None:
                mask = mask & self._any_term(spec.node_affinity)
            self._selected[key] = mask
        return mask

    def tolerated(self, tolerations: tuple[Toleration, ...]) -> BoolArray:
        """bool [nodes]: no NoSchedule or NoExecute taint is left untolerated."""
        mask = self._tolerated.get(tolerations)
        if mask is None:
            passes = np.array([untolerated(tolerations, taints) is None for taints in self._taint_sets], np.bool_)
            mask = passes[self._taint_code] if self._size else np.zeros(0, np.bool_)
            self._tolerated[tolerations] = mask
        return mask

    def domains(self, topology_key: str) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """Values of a label (sorted) and int64 [nodes], each node's position among them, -1 for a node without it."""
        codes, array = self._key(topology_key, False)
        names = sorted(codes)
        position = np.full(len(codes) + 1, _ABSENT, np.int64)
        for place, name in enumerate(names):
            position[codes[name]] = place
        return tuple(names), position[array]

    def _open(self, spec: PodSpec) -> BoolArray:
        if tolerates(spec.tolerations, UNSCHEDULABLE_TAINT):
            return np.ones(self._size, np.bool_)
        return ~self._cordoned

    def _any_term(self, terms: tuple[NodeTerm, ...]) -> BoolArray:
        mask = self._terms.get(terms)
        if mask is None:
            mask = np.zeros(self._size, np.bool_)
            for term in terms:
                if term.requirements:
                    mask = mask | np.logical_and.reduce([self._requirement(r) for r in term.requirements])
            self._terms[terms] = mask
        return mask

    def _requirement(self, requirement: Requirement) -> BoolArray:
        mask = self._requirements.get(requirement)
        if mask is None:
            mask = self._requirements[requirement] = self._evaluate(requirement)
        return mask

    def _evaluate(self, requirement: Requirement) -> BoolArray:
        codes, array = self._key(requirement.key, requirement.field)
        match requirement.operator:
            case Operator.EXISTS:
                return np.asarray(array != _ABSENT)
            case Operator.DOES_NOT_EXIST:
                return np.asarray(array == _ABSENT)
            case Operator.IN | Operator.NOT_IN:
                chosen = np.zeros(len(codes) + 1, np.bool_)
                chosen[[codes[v] for v in requirement.values if v in codes]] = True
                inside = chosen[array]  # the last entry answers for -1, an absent key, and stays False
                return inside if requirement.operator is Operator.IN else ~inside
            case _:
                chosen = np.zeros(len(codes) + 1, np.bool_)
                chosen[[code for value, code in codes.items() if compares(value, requirement)]] = True
                return chosen[array]

    def _key(self, key: str, field: bool) -> tuple[dict[str, int], npt.NDArray[np.int64]]:
        found = self._keys.get((key, field))
        if found is None:
            codes: dict[str, int] = {}
            array = np.full(self._size, _ABSENT, np.int64)
            for position, node in enumerate(self._nodes):
                value = (node.name if key == "metadata.name" else None) if field else node.labels.get(key)
                if value is not None:
                    array[position] = codes.setdefault(value, len(codes))
            found = self._keys[key, field] = (codes, array)
        return found
