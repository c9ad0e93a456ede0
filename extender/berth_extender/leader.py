"""Whether somebody plans: the Lease of the operator's leader, as it is renewed, by our own clock.

Without a live leader nothing may be left to the planning loop: gangs are not held, stock preemption goes on at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from berth_api.annotations import OPERATOR_LEASE
from berth_cluster.leases import Lease, Liveness

log = logging.getLogger(__name__)


class Leader:
    """Feed it with Leases and call `look` about once a second; `tell` hears of every change."""

    def __init__(self, liveness: Liveness, tell: Callable[[bool], None]) -> None:
        self._liveness = liveness
        self._tell = tell
        self.is_alive = False

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        lease = new or old
        if lease is None or lease.name != OPERATOR_LEASE:
            return
        if new is None:
            self._liveness.forget(OPERATOR_LEASE)
        else:
            self._liveness.saw(new)
        self.look()

    def look(self) -> None:
        alive = self._liveness.is_live(OPERATOR_LEASE)
        if alive != self.is_alive:
            self.is_alive = alive
            log.info(
                "the planning leader is %s", "alive" if alive else "gone: stock preemption goes on, gangs are not held"
            )
            self._tell(alive)
