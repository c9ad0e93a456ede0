"""Leases of `coordination.k8s.io`, and who is alive by them.

Clocks of machines differ, so the times written in a Lease are never compared with ours: whoever keeps changing its
`renewTime` is alive, and the observer's own monotonic clock says for how long nothing has changed (as client-go's leader
election does). A Lease seen for the first time counts as alive until its duration has passed: it may have been renewed the
moment before, and taking somebody alive for dead is the dangerous mistake of the two.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from berth_cluster.objects import LeaseMeta, Wire
from berth_cluster.snapshot import EMPTY, Labels

DEFAULT_DURATION_SECONDS = 15


class LeaseSpec(Wire, frozen=True):
    holder_identity: str | None = None
    renew_time: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None


class WireLease(Wire, frozen=True):
    metadata: LeaseMeta = LeaseMeta()
    spec: LeaseSpec = LeaseSpec()


class Lease(msgspec.Struct, frozen=True):
    name: str
    holder: str = ""
    """Empty: released."""
    renewed: str = ""
    """RFC 3339 by the holder's clock: to see change, never to compare with ours."""
    duration_seconds: int = DEFAULT_DURATION_SECONDS
    labels: Labels = EMPTY
    annotations: Labels = EMPTY
    transitions: int = 0
    uid: str = ""
    resource_version: str = ""


def read_lease(wire: WireLease) -> Lease:
    meta, spec = wire.metadata, wire.spec
    return Lease(
        name=meta.name,
        holder=spec.holder_identity or "",
        renewed=spec.renew_time or "",
        duration_seconds=spec.lease_duration_seconds or DEFAULT_DURATION_SECONDS,
        labels=meta.labels or {},
        annotations=meta.annotations or {},
        transitions=spec.lease_transitions or 0,
        uid=meta.uid or "",
        resource_version=meta.resource_version or "",
    )


class _Seen(msgspec.Struct):
    holder: str
    renewed: str
    duration: float
    at: float
    """When it last changed, by our clock."""


class Liveness:
    """Who renews, seen from here. Feed it every Lease that changes; ask it by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def saw(self, lease: Lease) -> None:
        """A Lease as it stands now; one that was not renewed since (a change of its annotations) adds no life."""
        known = self._seen.get(lease.name)
        duration = float(lease.duration_seconds)
        if known is None or known.renewed != lease.renewed or known.holder != lease.holder:
            self._seen[lease.name] = _Seen(lease.holder, lease.renewed, duration, self._clock())
        else:
            known.duration = duration

    def forget(self, name: str) -> None:
        """The Lease was deleted."""
        self._seen.pop(name, None)

    def is_live(self, name: str) -> bool:
        """Held, and renewed within its own duration. False for a name never seen."""
        known = self._seen.get(name)
        return known is not None and known.holder != "" and self._clock() - known.at <= known.duration
