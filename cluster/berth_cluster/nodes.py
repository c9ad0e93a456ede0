"""One node of a dump to one node of the snapshot."""

from __future__ import annotations

from berth_api.node_models import read
from berth_api.reasons import Reason
from berth_cluster.errors import FieldError
from berth_cluster.findings import Findings
from berth_cluster.objects import Amounts, WireNode
from berth_cluster.quantities import MAX_AMOUNT, QuantityError, nanos
from berth_cluster.snapshot import Node, Taint

DEFAULT_MAX_PODS = 110
"""The kubelet's default, for nodes written by hand that do not say."""

_UNITS = {"cpu": 10**6}
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def read_node(wire: WireNode, findings: Findings) -> Node:
    """Raises FieldError for negative or unreadable amounts; says what was assumed where a node is incomplete."""
    name, status = wire.metadata.name, wire.status
    example = f"Node {name}"
    given, path = (status.allocatable if status else None), "status.allocatable"
    if not given:
        given, path = (status.capacity if status else None), "status.capacity"
        if given:
            findings.add(Reason.BAD_FIELD, "a node has no allocatable; its capacity is counted in full", example)
        else:
            findings.add(Reason.BAD_FIELD, "a node has neither allocatable nor capacity; nothing fits there", example)
    amounts = _amounts(given or {}, path, findings, example)
    if "pods" not in amounts:
        amounts["pods"] = DEFAULT_MAX_PODS if amounts else 0
        if given:
            findings.add(
                Reason.BAD_FIELD, f"a node does not say how many pods it takes; counted as {DEFAULT_MAX_PODS}", example
            )
    return Node(
        name=name,
        allocatable=tuple(sorted(amounts.items())),
        labels=wire.metadata.labels or {},
        taints=_taints(wire),
        unschedulable=bool(wire.spec and wire.spec.unschedulable),
        ready=_is_ready(wire),
        models=read(wire.metadata.annotations.models) if wire.metadata.annotations else (),
    )


def _amounts(given: Amounts, path: str, findings: Findings, example: str) -> dict[str, int]:
    """Rounded down: a node never has more than it says."""
    found = {}
    for resource, quantity in given.items():
        try:
            amount = nanos(quantity if type(quantity) is str else str(quantity)) // _UNITS.get(resource, 10**9)
        except QuantityError as error:
            raise FieldError(f"{path}[{resource}]", str(error)) from error
        if amount >= MAX_AMOUNT:
            findings.add(Reason.BAD_FIELD, f"a node has 2^53 or more of {resource}; counted as 2^53 - 1", example)
            amount = MAX_AMOUNT - 1
        found[resource] = amount
    return found


def _taints(wire: WireNode) -> tuple[Taint, ...]:
    taints = (wire.spec.taints if wire.spec else None) or ()
    for i, taint in enumerate(taints):
        if taint.effect not in _EFFECTS:
            raise FieldError(f"spec.taints[{i}].effect", f"{taint.effect!r} is not an effect of a taint")
    return tuple(Taint(t.key, t.value or "", t.effect) for t in taints)


def _is_ready(wire: WireNode) -> bool:
    """A node without a Ready condition (written by hand, or just added) is taken as ready."""
    conditions = (wire.status.conditions if wire.status else None) or ()
    return all(c.status == "True" for c in conditions if c.type == "Ready")
