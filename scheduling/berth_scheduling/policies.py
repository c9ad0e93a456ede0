"""What policies say that concerns the request path: for how long a gang's members are held.

The planning loop honours everything else. Of two policies that cover a pod the older one holds; a pod that none covers, and
every pod where there are none, has the default.
"""

from __future__ import annotations

from berth_api.packing_policy import PackingPolicy, oldest_first
from berth_cluster.snapshot import Pod


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
