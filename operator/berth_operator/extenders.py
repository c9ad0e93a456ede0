"""Which extenders live, what room they say they keep, and whether the one that kube-scheduler asks is among them.

Each has a Lease of its own with two annotations: the plans whose room it keeps, and how many calls it has answered. Of
several extenders only the one beside the scheduler that leads is asked; when that one dies and its scheduler does not, pods
go wherever the stock scheduler likes, whatever the others keep. So the extender whose count rose last must be alive. That
is forgotten when another scheduler takes the Lease `berth-scheduler`, and not asked for where there is no such Lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from berth_api.annotations import (
    ACKNOWLEDGED_PLANS,
    CALLS_ANSWERED,
    COMPONENT_LABEL,
    EXTENDER_COMPONENT,
    SCHEDULER_LEASE,
)
from berth_cluster.leases import Lease, Liveness

_decode = msgspec.json.Decoder(list[str]).decode


class Extenders:
    """Feed it every Lease that changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._liveness = Liveness(clock)
        self._calls: dict[str, str] = {}
        self._asked = ""
        self._scheduler = ""
        """Holder of the Lease `berth-scheduler`."""

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        if new is None:
            if old is not None:
                self._forget(old.name)
            return
        self._liveness.saw(new)
        if new.name == SCHEDULER_LEASE and new.holder != self._scheduler:
            self._scheduler, self._asked = new.holder, ""
        elif is_extender(new):
            calls = new.annotations.get(CALLS_ANSWERED, "0")
            if calls not in ("0", self._calls.setdefault(new.name, calls)):
                self._asked = new.name
            self._calls[new.name] = calls

    def _forget(self, name: str) -> None:
        self._liveness.forget(name)
        self._calls.pop(name, None)
        if name == SCHEDULER_LEASE:
            self._scheduler = ""
        elif name == self._asked:
            self._asked = ""

    def alive(self, leases: Iterable[Lease]) -> dict[str, frozenset[str]]:
        """Live extenders to the uids of the plans whose room they say they keep."""
        return {
            lease.name: kept_plans(lease)
            for lease in leases
            if is_extender(lease) and self._liveness.is_live(lease.name)
        }

    @property
    def lost(self) -> str:
        """The extender that kube-scheduler asked last, when it is not alive; else empty."""
        return self._asked if self._scheduler and self._asked and not self._liveness.is_live(self._asked) else ""


def is_extender(lease: Lease) -> bool:
    return lease.labels.get(COMPONENT_LABEL) == EXTENDER_COMPONENT


def kept_plans(lease: Lease) -> frozenset[str]:
    """Unreadable counts as nothing kept."""
    raw = lease.annotations.get(ACKNOWLEDGED_PLANS)
    if not raw:
        return frozenset()
    try:
        return frozenset(_decode(raw))
    except msgspec.MsgspecError:
        return frozenset()
