"""What policies say that concerns the request path: for how long a gang's members are held, and what hints may do.

The planning loop honours everything else. Of two policies that cover a pod the older one holds; a pod that none covers, and
every pod where there are none, has the default.
"""

from __future__ import annotations

from berth_api.hint_policy import Hints
from berth_api.packing_policy import PackingPolicy, oldest_first
from berth_cluster.snapshot import Pod
from berth_intent.terms import ANYTHING, HintTerms


class Policies:
    def __init__(self, gang_hold_seconds: float) -> None:
        self._default = gang_hold_seconds
        self._named: dict[str, PackingPolicy] = {}
        self._ordered: list[PackingPolicy] = []

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        if old is not None:
            self._named.pop(old.metadata.name, None)
        if new is not None:
            self._named[new.metadata.name] = new
        self._ordered = oldest_first(self._named.values())

    def gang_hold_seconds(self, pod: Pod) -> float:
        for policy in self._ordered:
            if policy.spec.scope.covers(pod.namespace, pod.priority):
                return float(policy.spec.gang_hold_seconds)
        return self._default

    def hint_terms(self, pod: Pod) -> HintTerms:
        """What holds for the pod's hint; without a policy that covers it every wish counts and none is enforced."""
        for policy in self._ordered:
            if policy.spec.scope.covers(pod.namespace, pod.priority):
                return hint_terms(policy.spec.hints, pod.namespace)
        return ANYTHING

    def hint_labels(self) -> dict[str, tuple[str, ...]]:
        """Label keys by fact, of the oldest policy that names any: what a node has does not depend on who asks."""
        return next((keys for policy in self._ordered if (keys := policy.spec.hints.labels.keys())), {})


def hint_terms(hints: Hints, namespace: str) -> HintTerms:
    """What a policy's `spec.hints` means for a namespace."""
    if hints == NOTHING_SAID:
        return ANYTHING
    return HintTerms(
        hints.enabled,
        hints.allowed(namespace),
        hints.enforces(namespace),
        hints.max_preferences,
        hints.language_model.reads(namespace),
    )


NOTHING_SAID = Hints()
