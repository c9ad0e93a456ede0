"""Tells owners what became of their pods' allocation hints: one Event for each owner, text and outcome, however many pods.

Pods of the scheduler `berth` only, by the leader only. Nothing is written on pods or templates: an Event is for people, and
nobody reads it back. Each hint is looked at when it is first seen, and again when nodes or policies have changed, since a name
may be known now or a wish out of reach; what has been said once is not said again. The parse takes less than a millisecond, a
round looks at `AT_ONCE` hints at most and lets others on in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from berth_api.annotations import SCHEDULER
from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_api.resource import API_VERSION
from berth_cluster.leases import Lease
from berth_cluster.snapshot import Node, Pod, Snapshot, WorkloadKey
from berth_operator.events import About, Events
from berth_operator.hinted_cluster import HintedCluster
from berth_operator.metrics import Metrics
from berth_operator.understood_as import Outcome
from berth_scheduling.hints import spoken_of

TICK_SECONDS = 2.0
ANEW_SECONDS = 60.0
"""Nodes and policies that changed are taken into account this often."""
AT_ONCE = 100
"""Hints looked at in a round."""
MAX_OWNERS = 10_000
"""Hints of owners that are remembered; what is beyond is counted and not told."""

OUTCOMES = {
    Reason.HINT_UNDERSTOOD: "Understood",
    Reason.HINT_PARTLY_UNDERSTOOD: "PartlyUnderstood",
    Reason.HINT_CONFLICT: "Conflict",
    Reason.HINT_UNSATISFIABLE: "Unsatisfiable",
}
NOT_TOLD = "NotTold"

_API_VERSIONS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "LeaderWorkerSet": "leaderworkerset.x-k8s.io/v1",
    "LLMService": API_VERSION,
}

Key = tuple[WorkloadKey, str]
"""Owner and text."""


class Reader(Protocol):
    """Reads hints as things stand in one cluster under its policies."""

    def outcomes(self, pod: Pod) -> Sequence[Outcome]: ...


@dataclass(slots=True)
class _Looked:
    edition: int = -1
    told: set[tuple[Reason, bool]] = field(default_factory=set)
    """Outcomes, and whether a language model had a part in them."""


class UnderstoodHints:
    """A `Listener` of the cluster that only notes that there is something to look at; `run` looks, while leading."""

    def __init__(
        self,
        cluster: HintedCluster,
        events: Events,
        metrics: Metrics,
        read: Callable[[Snapshot, Sequence[PackingPolicy]], Reader],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._events = events
        self._metrics = metrics
        self._read = read
        self._clock = clock
        self._known: dict[Key, _Looked] = {}
        self._edition = 0
        self._edition_since = float("-inf")
        self._is_old = True
        """Nodes or policies have changed since the edition began."""
        self._has_new = True

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is not None and new.hint and new.scheduler == SCHEDULER and (new.workload, new.hint) not in self._known:
            self._has_new = True

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        if old is None or new is None or spoken_of(old) != spoken_of(new):
            self._is_old = True

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        if old is None or new is None or old.spec != new.spec:
            self._is_old = True

    def answers_changed(self) -> None:
        """A language model has read some hint."""
        self._is_old = True

    def plan_changed(self, old: object, new: object) -> None:
        return

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        return

    async def run(self) -> None:
        """Until cancelled. A new leader begins with everybody; what its predecessor wrote is not written twice."""
        self._known.clear()
        self._has_new = True
        while True:
            await self.round()
            await asyncio.sleep(TICK_SECONDS)

    async def round(self) -> None:
        if not self._cluster.synced:
            return
        now = self._clock()
        if self._is_old and now - self._edition_since >= ANEW_SECONDS:
            self._edition, self._edition_since, self._is_old = self._edition + 1, now, False
            self._has_new = True
        if not self._has_new:
            return
        snapshot = self._cluster.snapshot()
        alive = {(p.workload, p.hint): p for p in snapshot.pods if p.hint and p.scheduler == SCHEDULER}
        self._known = {key: looked for key, looked in self._known.items() if key in alive}
        due = [key for key in alive if key not in self._known or self._known[key].edition < self._edition]
        self._has_new = len(due) > AT_ONCE
        if not due:
            return
        reader = await asyncio.to_thread(self._read, snapshot, tuple(self._cluster.policies.values()))
        for key in due[:AT_ONCE]:
            self._look(key, alive[key], reader)
            await asyncio.sleep(0)

    def _look(self, key: Key, pod: Pod, reader: Reader) -> None:
        looked = self._known.get(key)
        if looked is None:
            if len(self._known) >= MAX_OWNERS:
                self._metrics.hints.labels(NOT_TOLD).inc()
                return
            looked = self._known[key] = _Looked()
        looked.edition = self._edition
        for outcome in reader.outcomes(pod):
            if (outcome.reason, outcome.by_model) in looked.told:
                continue
            looked.told.add((outcome.reason, outcome.by_model))
            self._metrics.hints.labels(OUTCOMES[outcome.reason]).inc()
            self._events.tell(
                about_owner(pod.workload), outcome.reason, outcome.sentence, warning=outcome.is_warning, once=True
            )


def about_owner(workload: WorkloadKey) -> About:
    """Of kinds that are not known here the apiVersion is left out; `kubectl describe` finds the Event all the same."""
    return About(workload.kind, workload.namespace, workload.name, workload.uid, _API_VERSIONS.get(workload.kind, ""))
