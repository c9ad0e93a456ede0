"""The pod that a request is about, as our own cache knows it: with its workload, gang and effective request.

kube-scheduler sends the whole pod with every call. Its uid is enough to find what the watch has shown already; only a pod
that kube-scheduler saw before we did (a race of milliseconds) is decoded from the request, with the owners known so far.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Raw

from berth_cluster.snapshot import Pod
from berth_extender.metrics import Metrics
from berth_extender.wire import PodIdentity


class KnownPods(Protocol):
    """What the watch cache offers of it."""

    def pod_by_uid(self, uid: str) -> Pod | None: ...

    def read_pod(self, raw: bytes) -> Pod:
        """A pod's JSON, with the owners known so far. Raises FieldError."""


class AskedPods:
    def __init__(self, cluster: KnownPods, metrics: Metrics) -> None:
        self._cluster = cluster
        self._metrics = metrics

    def find(self, identity: PodIdentity, raw: Raw) -> Pod:
        """Raises FieldError for a pod that is unknown and cannot be read."""
        known = self._cluster.pod_by_uid(identity.uid) if identity.uid else None
        if known is not None:
            return known
        self._metrics.unknown_pods.inc()
        return self._cluster.read_pod(bytes(raw))
