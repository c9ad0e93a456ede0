"""PodDisruptionBudgets: what they allow now, and the pods that two of them cover, which nobody can evict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from berth_api.reasons import Reason
from berth_cluster.findings import Findings
from berth_cluster.matching import labels_of, selector_matches
from berth_cluster.objects import WireBudget
from berth_cluster.snapshot import DisruptionBudget, Pod, PodSpec
from berth_cluster.terms import label_selector

_EMPTY_SELECTS_NOTHING = "v1beta1"


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


class Coverage:
    """How many budgets select a pod. Pods of one spec share the answer."""

    def __init__(self, budgets: Iterable[DisruptionBudget]) -> None:
        self._budgets = budgets_by_namespace(budgets)
        self._known: dict[tuple[str, int], int] = {}

    def count(self, pod: Pod) -> int:
        candidates = self._budgets.get(pod.namespace)
        if candidates is None:
            return 0
        key = (pod.namespace, id(pod.spec))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = selecting(candidates, pod.spec)
        return known


def selecting(budgets: Sequence[DisruptionBudget], spec: PodSpec) -> int:
    """How many of these budgets, all of the pod's namespace, select it."""
    labels = labels_of(spec)
    return sum(selector_matches(budget.selector, labels) for budget in budgets)
