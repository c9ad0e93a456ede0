"""Which nodes a pod may be new on, which it prefers, and how nodes fall into topology domains.

Answers are cached by what they depend on (the spec's node terms and tolerations; the label's key), never by pod.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from berth_cluster.eligibility import NodeIndex
from berth_cluster.matching import term_matches
from berth_cluster.snapshot import Node, PodSpec, PreferredNodeTerm, SpreadTerm
from berth_solver.problem import NO_DOMAIN

Mask = npt.NDArray[np.bool_]
Domains = npt.NDArray[np.int64]


class NodeSets:
    """Sets of nodes, as masks over the snapshot's node order. Masks are shared: copy before changing one."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self.index = NodeIndex(nodes)
        self._eligible: dict[tuple[object, ...], Mask] = {}
        self._preference: dict[tuple[PreferredNodeTerm, ...], tuple[tuple[int, float], ...]] = {}
        self._domains: dict[str, Domains] = {}
        self._counting: dict[tuple[object, ...], Domains] = {}

    def eligible(self, spec: PodSpec) -> Mask:
        """Where selector, affinity, taints, volumes, cordon and readiness let a new pod go (not capacity)."""
        key = (spec.node_selector, spec.node_affinity, spec.tolerations, spec.volume_nodes)
        mask = self._eligible.get(key)
        if mask is None:
            mask = self._eligible[key] = self.index.eligible(spec)
        return mask

    def preference(self, spec: PodSpec) -> tuple[tuple[int, float], ...]:
        """(node, 0..1) where some preferred term holds: the weight of those that hold as a share of all weights."""
        terms = spec.preferred_nodes
        if not terms:
            return ()
        known = self._preference.get(terms)
        if known is None:
            total = sum(t.weight for t in terms) or 1
            score = np.zeros(len(self._nodes))
            for preferred in terms:
                holds = (term_matches(preferred.term, n) for n in self._nodes)
                score += preferred.weight * np.fromiter(holds, np.bool_, len(self._nodes))
            known = tuple((int(n), min(float(score[n] / total), 1.0)) for n in np.flatnonzero(score > 0))
            self._preference[terms] = known
        return known

    def domains(self, topology_key: str) -> Domains:
        """Domain of each node, numbered in the order of the label's values; -1 where the label is missing."""
        found = self._domains.get(topology_key)
        if found is None:
            found = self._domains[topology_key] = self.index.domains(topology_key)[1]
        return found

    def counting_domains(self, spec: PodSpec, term: SpreadTerm) -> Domains:
        """Domains that a spread term counts: as Kubernetes does, only nodes with every topology key of the pod's terms,
        that its node affinity allows (nodeAffinityPolicy Honor) and whose taints it tolerates (nodeTaintsPolicy Honor)."""
        keys = tuple(sorted({t.topology_key for t in spec.spread}))
        affinity = (spec.node_selector, spec.node_affinity) if term.honor_node_affinity else None
        tolerations = spec.tolerations if term.honor_taints else None
        cache_key = (term.topology_key, keys, affinity, tolerations)
        found = self._counting.get(cache_key)
        if found is None:
            found = self.domains(term.topology_key).copy()
            for key in keys:
                found[self.domains(key) == NO_DOMAIN] = NO_DOMAIN
            if affinity is not None:
                found[~self.index.selected(spec)] = NO_DOMAIN
            if tolerations is not None:
                found[~self.index.tolerated(tolerations)] = NO_DOMAIN
            self._counting[cache_key] = found
        return found
