"""Which node takes which pod, and which selector selects what: pure functions, one pod and one node at a time.

They follow kube-scheduler's filters NodeUnschedulable, TaintToleration, NodeAffinity, VolumeBinding and VolumeZone, and
apimachinery's label selectors. Capacity, ports, spread and the affinity between pods depend on who else is there and are
the planner's. For thousands of nodes use `eligibility.NodeIndex`, which answers the same for all nodes at once:

    index = NodeIndex(snapshot.nodes)
    index.eligible(pod.spec)        # bool [nodes]: node_matches(...) is None
    index.reasons(pod.spec)         # {Reason: bool [nodes]}, the first reason of each node

For two pods: `pod_term_matches(term, other.namespace, dict(other.spec.labels))`.
"""

from __future__ import annotations

from collections.abc import Iterable

from berth_api.reasons import Reason
from berth_cluster.snapshot import (
    EMPTY,
    Labels,
    LabelSelector,
    Node,
    NodeTerm,
    Operator,
    PodSpec,
    PodTerm,
    Requirement,
    Taint,
    Toleration,
)

UNSCHEDULABLE_TAINT = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
"""A pod that tolerates it may go to a cordoned node, as DaemonSets' pods do."""

HARD_EFFECTS = ("NoSchedule", "NoExecute")


def node_matches(spec: PodSpec, node: Node) -> Reason | None:
    """None when the node may take a new pod of this spec, capacity aside; else the first thing against it."""
    if not node.ready:
        return Reason.NODE_NOT_READY
    if node.unschedulable and not tolerates(spec.tolerations, UNSCHEDULABLE_TAINT):
        return Reason.UNSCHEDULABLE
    if untolerated(spec.tolerations, node.taints) is not None:
        return Reason.UNTOLERATED_TAINT
    if not selects_node(spec, node):
        return Reason.NODE_SELECTOR_MISMATCH
    if not all(any(term_matches(term, node) for term in terms) for terms in spec.volume_nodes):
        return Reason.VOLUME_ZONE_CONFLICT
    return None


def selects_node(spec: PodSpec, node: Node) -> bool:
    """nodeSelector and required node affinity alone: what topology spread means by honouring node affinity."""
    if any(node.labels.get(key) != value for key, value in spec.node_selector):
        return False
    return spec.node_affinity is None or any(term_matches(term, node) for term in spec.node_affinity)


def term_matches(term: NodeTerm, node: Node) -> bool:
    """All requirements hold; a term without any matches nothing."""
    return bool(term.requirements) and all(
        requirement_matches(r, {"metadata.name": node.name} if r.field else node.labels, numeric=True)
        for r in term.requirements
    )


def selector_matches(selector: LabelSelector | None, labels: Labels) -> bool:
    """None matches nothing, a selector without requirements everything."""
    return selector is not None and all(requirement_matches(r, labels) for r in selector.requirements)


def pod_term_matches(term: PodTerm, namespace: str, labels: Labels) -> bool:
    """Whether the term means a pod of this namespace with these labels."""
    return (term.namespaces is None or namespace in term.namespaces) and selector_matches(term.selector, labels)


def requirement_matches(requirement: Requirement, labels: Labels, *, numeric: bool = False) -> bool:
    """An absent key satisfies NotIn and DoesNotExist. numeric: Gt and Lt compare integers (node selectors only)."""
    value = labels.get(requirement.key)
    match requirement.operator:
        case Operator.IN:
            return value is not None and value in requirement.values
        case Operator.NOT_IN:
            return value is None or value not in requirement.values
        case Operator.EXISTS:
            return value is not None
        case Operator.DOES_NOT_EXIST:
            return value is None
        case _:
            return numeric and value is not None and compares(value, requirement)


def compares(value: str, requirement: Requirement) -> bool:
    """Gt and Lt: both sides whole numbers, else no match."""
    if len(requirement.values) != 1:
        return False
    left, right = whole_number(value), whole_number(requirement.values[0])
    if left is None or right is None:
        return False
    return left > right if requirement.operator is Operator.GT else left < right


def whole_number(text: str) -> int | None:
    """A 64-bit decimal integer as Go's ParseInt reads it, or None."""
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        return None
    return int(text)


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    return any(_tolerates(t, taint) for t in tolerations)


def untolerated(tolerations: tuple[Toleration, ...], taints: Iterable[Taint]) -> Taint | None:
    """The first taint that keeps a new pod away."""
    return next((t for t in taints if t.effect in HARD_EFFECTS and not tolerates(tolerations, t)), None)


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "Exists":
            return True
        case "" | "Equal":
            return toleration.key != "" and toleration.value == taint.value
        case "Lt" | "Gt":  # KEP-5471: the taint's value compared with the toleration's
            left, right = whole_number(taint.value), whole_number(toleration.value)
            if left is None or right is None:
                return False
            return left < right if toleration.operator == "Lt" else left > right
        case _:
            return False


def labels_of(spec: PodSpec) -> Labels:
    """The labels as a mapping, for `selector_matches`."""
    return dict(spec.labels) if spec.labels else EMPTY
