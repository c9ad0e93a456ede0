"""Selectors, affinity, tolerations and spread constraints: Kubernetes' JSON to the snapshot's small hashable values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from berth_cluster.errors import FieldError
from berth_cluster.matching import selector_matches
from berth_cluster.objects import Expression, WireNodeSelector, WireNodeTerm, WirePreferredNodeTerm, WireSelector
from berth_cluster.pod_objects import WirePodTerm, WireSpread, WireToleration
from berth_cluster.snapshot import (
    Labels,
    LabelSelector,
    NodeTerm,
    Operator,
    PodTerm,
    PreferredNodeTerm,
    Requirement,
    SpreadTerm,
    Toleration,
)

_SET_OPERATORS = {Operator.IN, Operator.NOT_IN}
_COMPARISONS = {Operator.GT, Operator.LT}
_TOLERATION_OPERATORS = {"", "Equal", "Exists", "Lt", "Gt"}


def requirement(expression: Expression, path: str, *, field: bool = False, numeric: bool = False) -> Requirement:
    """One matchExpression. Raises FieldError for an operator that Kubernetes does not have there."""
    try:
        operator = Operator(expression.operator)
    except ValueError:
        raise FieldError(f"{path}.operator", f"{expression.operator!r} is not an operator") from None
    if operator in _COMPARISONS and not numeric:
        raise FieldError(f"{path}.operator", f"{operator} compares node labels only")
    if operator in _SET_OPERATORS and not expression.values:
        raise FieldError(f"{path}.values", f"{operator} needs at least one value")
    return Requirement(expression.key, operator, expression.values or (), field)


def label_selector(selector: WireSelector | None, path: str) -> LabelSelector | None:
    """matchLabels become In requirements; sorted and without repeats, so that equal selectors are equal values."""
    if selector is None:
        return None
    return LabelSelector(_ordered(_selector_requirements(selector, path)))


def _selector_requirements(selector: WireSelector, path: str) -> list[Requirement]:
    found = [Requirement(key, Operator.IN, (value,)) for key, value in (selector.match_labels or {}).items()]
    for i, expression in enumerate(selector.match_expressions or ()):
        found.append(requirement(expression, f"{path}.matchExpressions[{i}]"))
    return found


def _ordered(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return tuple(sorted(set(requirements), key=lambda r: (r.key, r.operator, r.values)))


def node_term(term: WireNodeTerm, path: str) -> NodeTerm:
    found = [
        requirement(e, f"{path}.matchExpressions[{i}]", numeric=True)
        for i, e in enumerate(term.match_expressions or ())
    ]
    for i, expression in enumerate(term.match_fields or ()):
        if expression.key != "metadata.name":
            raise FieldError(f"{path}.matchFields[{i}].key", f"{expression.key!r}: only metadata.name can be matched")
        found.append(requirement(expression, f"{path}.matchFields[{i}]", field=True))
    return NodeTerm(tuple(found))


def node_terms(selector: WireNodeSelector | None, path: str) -> tuple[NodeTerm, ...] | None:
    """Required terms (OR); None when nothing is required."""
    if selector is None:
        return None
    terms = selector.node_selector_terms or ()
    return tuple(node_term(t, f"{path}.nodeSelectorTerms[{i}]") for i, t in enumerate(terms))


def preferred_terms(terms: Sequence[WirePreferredNodeTerm] | None, path: str) -> tuple[PreferredNodeTerm, ...]:
    return tuple(
        PreferredNodeTerm(t.weight, node_term(t.preference, f"{path}[{i}].preference"))
        for i, t in enumerate(terms or ())
    )


def tolerations(given: Sequence[WireToleration] | None, path: str) -> tuple[Toleration, ...]:
    for i, t in enumerate(given or ()):
        if (t.operator or "") not in _TOLERATION_OPERATORS:
            raise FieldError(f"{path}[{i}].operator", f"{t.operator!r} is not an operator")
    return tuple(Toleration(t.key or "", t.operator or "Equal", t.value or "", t.effect or "") for t in given or ())


def pod_term(
    term: WirePodTerm, path: str, own_namespace: str, own_labels: Labels, namespaces: Mapping[str, Labels]
) -> PodTerm:
    """Namespaces resolved: those listed and those selected; the pod's own when neither is given."""
    selector = with_label_keys(
        label_selector(term.label_selector, f"{path}.labelSelector"),
        own_labels,
        term.match_label_keys or (),
        term.mismatch_label_keys or (),
    )
    listed = frozenset(term.namespaces or ())
    chosen: frozenset[str] | None
    if term.namespace_selector is None:
        chosen = listed or frozenset((own_namespace,))
    else:
        wanted = label_selector(term.namespace_selector, f"{path}.namespaceSelector")
        if wanted is not None and not wanted.requirements:
            chosen = None
        else:
            chosen = listed | {name for name, labels in namespaces.items() if selector_matches(wanted, labels)}
    return PodTerm(selector, term.topology_key, chosen)


def needs_namespaces(term: WirePodTerm) -> bool:
    """Whether the term cannot be resolved without knowing the namespaces' labels."""
    selector = term.namespace_selector
    return selector is not None and bool(selector.match_labels or selector.match_expressions)


def with_label_keys(
    selector: LabelSelector | None, labels: Labels, matching: Sequence[str], mismatching: Sequence[str] = ()
) -> LabelSelector | None:
    """Folds matchLabelKeys and mismatchLabelKeys in: keys that the pod lacks are ignored, as is all without a selector.

    Newer API servers have done so already; doing it again changes nothing.
    """
    if selector is None or not (matching or mismatching):
        return selector
    folded = [Requirement(key, Operator.IN, (labels[key],)) for key in matching if key in labels]
    folded += [Requirement(key, Operator.NOT_IN, (labels[key],)) for key in mismatching if key in labels]
    return LabelSelector(_ordered((*selector.requirements, *folded)))


def spread_term(spread: WireSpread, path: str, own_labels: Labels) -> SpreadTerm | None:
    """None for a constraint that only expresses a preference."""
    if spread.when_unsatisfiable == "ScheduleAnyway":
        return None
    if spread.when_unsatisfiable != "DoNotSchedule":
        raise FieldError(
            f"{path}.whenUnsatisfiable", f"{spread.when_unsatisfiable!r} is neither of the two ways there are"
        )
    if spread.max_skew < 1:
        raise FieldError(f"{path}.maxSkew", f"{spread.max_skew} is less than 1")
    return SpreadTerm(
        max_skew=spread.max_skew,
        topology_key=spread.topology_key,
        selector=with_label_keys(
            label_selector(spread.label_selector, f"{path}.labelSelector"), own_labels, spread.match_label_keys or ()
        ),
        min_domains=spread.min_domains or 1,
        honor_node_affinity=spread.node_affinity_policy != "Ignore",
        honor_taints=spread.node_taints_policy == "Honor",
    )
