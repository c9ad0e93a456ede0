"""PodDisruptionBudgets: what they allow now, and the pods that two of them cover, which nobody can evict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from berth_api.reasons import Reason
from berth_cluster.findings import Findings
from berth_cluster.matching import labels_of, selector_matches
from berth_cluster.objects import WireBudget
from berth_cluster.snapshot import DisruptionBudget, Operator, Pod, PodSpec
from berth_cluster.terms import label_selector

_EMPTY_SELECTS_NOTHING = "v1beta1"
_ANY = ("", "")
"""No label has an empty key."""


def read_budget(wire: WireBudget, version: str, namespace: str, findings: Findings) -> DisruptionBudget:
    """Raises FieldError. An empty selector means every pod of the namespace, but none in policy/v1beta1."""
    meta, status = wire.metadata, wire.status
    selector = label_selector(wire.spec.selector, "spec.selector")
    if version == _EMPTY_SELECTS_NOTHING and selector is not None and not selector.requirements:
        selector = None
    if status is None:
        message = "a PodDisruptionBudget has no status; it allows no disruption"
        findings.add(Reason.BAD_FIELD, message, f"PodDisruptionBudget {namespace}/{meta.name}")
        allowed = 0
    elif (status.observed_generation or 0) < (meta.generation or 0):
        allowed = 0  # the Eviction API refuses until the controller has seen the change
    else:
        allowed = max(status.disruptions_allowed or 0, 0)
    return DisruptionBudget(namespace, meta.name, selector, allowed)


def budgets_by_namespace(budgets: Iterable[DisruptionBudget]) -> Mapping[str, Sequence[DisruptionBudget]]:
    found: dict[str, list[DisruptionBudget]] = {}
    for budget in budgets:
        found.setdefault(budget.namespace, []).append(budget)
    return found


class BudgetIndex:
    """Which budgets select a pod. Each is filed under one pair of labels that its pods must have, so that a pod asks few of them
    where each workload has a budget of its own; a budget without such a pair is asked for every pod of its namespace."""

    def __init__(self, budgets: Iterable[DisruptionBudget] = ()) -> None:
        self._filed: dict[tuple[str, str, str], dict[str, DisruptionBudget]] = {}
        for budget in budgets:
            self.put(budget)

    def put(self, budget: DisruptionBudget) -> None:
        """The one of that name, if there is one, has to be removed first."""
        for drawer in _drawers(budget):
            self._filed.setdefault(drawer, {})[budget.name] = budget

    def remove(self, budget: DisruptionBudget) -> None:
        for drawer in _drawers(budget):
            there = self._filed.get(drawer, {})
            there.pop(budget.name, None)
            if not there:
                self._filed.pop(drawer, None)

    def count(self, namespace: str, spec: PodSpec) -> int:
        """How many of them select a pod of this namespace."""
        labels = labels_of(spec)
        drawers = ((namespace, *_ANY), *((namespace, key, value) for key, value in spec.labels))
        return sum(
            selector_matches(budget.selector, labels)
            for drawer in drawers
            if drawer in self._filed
            for budget in self._filed[drawer].values()
        )


class Coverage:
    """How many budgets select a pod. Pods of one spec share the answer."""

    def __init__(self, budgets: Iterable[DisruptionBudget]) -> None:
        self._index = BudgetIndex(budgets)
        self._known: dict[tuple[str, int], int] = {}

    def count(self, pod: Pod) -> int:
        key = (pod.namespace, id(pod.spec))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._index.count(pod.namespace, pod.spec)
        return known


def _drawers(budget: DisruptionBudget) -> list[tuple[str, str, str]]:
    """A pod that it selects is in exactly one of them: it has one value for a label."""
    pairs = [r for r in budget.selector.requirements if r.operator is Operator.IN] if budget.selector else []
    if not pairs:
        return [(budget.namespace, *_ANY)]
    fewest = min(pairs, key=lambda pair: len(pair.values))
    return [(budget.namespace, fewest.key, value) for value in dict.fromkeys(fewest.values)]
