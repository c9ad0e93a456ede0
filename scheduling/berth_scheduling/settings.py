"""What may be set about scheduling; every field has the value that it has when nobody says anything."""

from __future__ import annotations

import msgspec

from berth_api.annotations import SCHEDULER


class Settings(msgspec.Struct, frozen=True):
    scheduler_name: str = SCHEDULER
    """Pods that name this scheduler are ours to plan for."""
    ledger_seconds: float = 15.0
    """So long an approved pod counts where it was approved for, unless it is bound or deleted earlier."""
    gang_hold_seconds: float = 600.0
    """So long the members of a gang wait for room for all; then they go one by one. A policy's default is the same."""
    narrow_to: int | None = 1
    """Filter answers with so many nodes, the best. None: with all that pass. With one, kube-scheduler scores nothing and asks
    for no ranks: at 1,000 nodes 169 pods/s instead of 115 with 32 of them, and the first place is one node's anyway."""
    narrow_above: int = 100
    """Only where more nodes than this are offered: below it kube-scheduler's own scoring costs little."""
