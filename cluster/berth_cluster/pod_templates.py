"""What pods of one template share, converted once: the undecoded texts of its parts, together, are the key.

30,000 pods of 500 templates cost 30,000 look-ups and 500 conversions. Memories are bounded, for a process that watches a
cluster sees new templates for ever. Nothing here depends on other objects than the pod; `pods` joins those in.
"""

from __future__ import annotations

import msgspec

from berth_cluster.decoding import Once
from berth_cluster.pod_objects import WireAffinity, WirePod, WireSpread, WireToleration
from berth_cluster.ports import host_ports, ports_key
from berth_cluster.recent import Recent
from berth_cluster.requests import RequestShape, effective_requests, request_shape
from berth_cluster.snapshot import HostPort, Labels, NodeTerm, PodSpec, PreferredNodeTerm, SpreadTerm, Toleration
from berth_cluster.terms import needs_namespaces, node_terms, preferred_terms, spread_term, tolerations

TEMPLATES = 8_192
"""Kept in each generation of the memory; a template is about 2 KB."""

Pairs = tuple[tuple[str, str], ...]


class Affinity(msgspec.Struct, frozen=True):
    nodes: tuple[NodeTerm, ...] | None = None
    preferred: tuple[PreferredNodeTerm, ...] = ()
    pods: WireAffinity | None = None
    """Kept as it was where terms between pods depend on the pod's own namespace and labels."""
    selects_namespaces: bool = False
    prefers_pods: bool = False


class Template(msgspec.Struct, eq=False):
    pairs: Pairs
    labels: Labels
    requests: tuple[tuple[str, int], ...]
    node_selector: Pairs
    affinity: Affinity
    tolerations: tuple[Toleration, ...]
    spread: tuple[SpreadTerm, ...]
    soft_spread: bool
    ports: tuple[HostPort, ...]
    specs: dict[tuple[object, ...], PodSpec]
    """Finished specs, by what was joined in from other objects."""


class Templates:
    """Finds or makes the template of a pod."""

    def __init__(self) -> None:
        self._labels: Once[dict[str, str], tuple[Pairs, Labels]] = Once(
            dict[str, str], "metadata.labels", _labels, ((), {})
        )
        self._selector: Once[dict[str, str], Pairs] = Once(dict[str, str], "spec.nodeSelector", _pairs, ())
        self._tolerations: Once[tuple[WireToleration, ...], tuple[Toleration, ...]] = Once(
            tuple[WireToleration, ...], "spec.tolerations", tolerations, ()
        )
        self._affinity = Once(WireAffinity, "spec.affinity", _affinity, Affinity())
        self._spread: Once[tuple[WireSpread, ...], tuple[WireSpread, ...]] = Once(
            tuple[WireSpread, ...], "spec.topologySpreadConstraints", lambda given, _: given, ()
        )
        self._requests: Recent[RequestShape, tuple[tuple[str, int], ...]] = Recent(TEMPLATES)
        self._templates: Recent[tuple[object, ...], Template] = Recent(TEMPLATES)

    def of(self, wire: WirePod) -> Template:
        """Raises FieldError."""
        given = wire.spec
        shape = request_shape(wire)
        ports = ports_key(given)
        key = (
            bytes(wire.metadata.labels), bytes(given.node_selector), bytes(given.affinity), bytes(given.tolerations),
            bytes(given.topology_spread_constraints), shape, ports, given.host_network,
        )  # fmt: skip
        found = self._templates.get(key)
        if found is not None:
            return found
        pairs, labels = self._labels(wire.metadata.labels)
        spreads = self._spread(given.topology_spread_constraints)
        found = Template(
            pairs=pairs,
            labels=labels,
            requests=self._effective(shape),
            node_selector=self._selector(given.node_selector),
            affinity=self._affinity(given.affinity),
            tolerations=self._tolerations(given.tolerations),
            spread=tuple(
                term
                for i, s in enumerate(spreads)
                if (term := spread_term(s, f"spec.topologySpreadConstraints[{i}]", labels)) is not None
            ),
            soft_spread=any(s.when_unsatisfiable == "ScheduleAnyway" for s in spreads),
            ports=host_ports(ports, bool(given.host_network)),
            specs={},
        )
        self._templates.put(key, found)
        return found

    def _effective(self, shape: RequestShape) -> tuple[tuple[str, int], ...]:
        found = self._requests.get(shape)
        if found is None:
            found = effective_requests(shape)
            self._requests.put(shape, found)
        return found


def _affinity(given: WireAffinity, path: str) -> Affinity:
    nodes = given.node_affinity
    terms = [
        *((given.pod_affinity and given.pod_affinity.required) or ()),
        *((given.pod_anti_affinity and given.pod_anti_affinity.required) or ()),
    ]
    return Affinity(
        nodes=node_terms(nodes.required, f"{path}.nodeAffinity.required") if nodes else None,
        preferred=preferred_terms(nodes.preferred, f"{path}.nodeAffinity.preferred") if nodes else (),
        pods=given if terms else None,
        selects_namespaces=any(needs_namespaces(t) for t in terms),
        prefers_pods=any(part and part.preferred for part in (given.pod_affinity, given.pod_anti_affinity)),
    )


def _pairs(given: dict[str, str], _: str) -> Pairs:
    return tuple(sorted(given.items()))


def _labels(given: dict[str, str], path: str) -> tuple[Pairs, Labels]:
    return _pairs(given, path), given
