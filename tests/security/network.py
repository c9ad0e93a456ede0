"""Who may talk to whom under a set of NetworkPolicies, as networking.k8s.io/v1 defines it. Pure.

Traffic passes when the sender's side allows it out and the receiver's in; a side is open until some policy selects its pod for that
direction, and then allows what any of them allows. Named ports and ports of a range are not needed here and refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class End:
    """A pod, or, without a namespace, an address outside of the cluster."""

    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: str = "203.0.113.7"


def passes(policies: Iterable[Json], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    every = list(policies)
    out = _allows(every, "Egress", "egress", "to", source, target, port, protocol)
    return out and _allows(every, "Ingress", "ingress", "from", target, source, port, protocol)


def _allows(
    policies: list[Json], type_: str, rules: str, peers: str, here: End, there: End, port: int, protocol: str
) -> bool:
    selecting = [p for p in policies if here.namespace and _selects(p, here) and type_ in p["spec"]["policyTypes"]]
    if not selecting:
        return True
    return any(
        _on_port(rule, port, protocol)
        and (not rule.get(peers) or any(_is(p, there, policy["metadata"]["namespace"]) for p in rule[peers]))
        for policy in selecting
        for rule in policy["spec"].get(rules) or ()
    )


def _selects(policy: Json, pod: End) -> bool:
    return bool(
        policy["metadata"]["namespace"] == pod.namespace and _matches(policy["spec"]["podSelector"], pod.labels)
    )


def _on_port(rule: Json, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    if not ports:
        return True
    for one in ports:
        assert isinstance(one.get("port"), int | None), f"a named port: {one}"
        assert "endPort" not in one, f"a range: {one}"
    return any(one.get("protocol", "TCP") == protocol and one.get("port") in (None, port) for one in ports)


def _is(peer: Json, end: End, home: str) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        address = ip_address(end.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(one) for one in block.get("except", ())
        )
    if not end.namespace:
        return False
    spaces = peer.get("namespaceSelector")
    inside = end.namespace == home if spaces is None else _matches(spaces, end.namespace_labels)
    return inside and _matches(peer.get("podSelector") or {}, end.labels)


def _matches(selector: Json, labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _holds(one: Json, labels: Mapping[str, str]) -> bool:
    match one["operator"]:
        case "Exists":
            return one["key"] in labels
        case "DoesNotExist":
            return one["key"] not in labels
        case "In":
            return labels.get(one["key"]) in one["values"]
        case "NotIn":
            return labels.get(one["key"]) not in one["values"]
    raise ValueError(one["operator"])
