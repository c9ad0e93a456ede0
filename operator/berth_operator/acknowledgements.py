"""What an extender says it keeps: the uids of active plans on its own Lease. Unreadable counts as nothing kept."""

from __future__ import annotations

import msgspec

from berth_api.annotations import ACKNOWLEDGED_PLANS
from berth_cluster.leases import Lease

_decode = msgspec.json.Decoder(list[str]).decode


def kept_plans(lease: Lease) -> frozenset[str]:
    raw = lease.annotations.get(ACKNOWLEDGED_PLANS)
    if not raw:
        return frozenset()
    try:
        return frozenset(_decode(raw))
    except msgspec.MsgspecError:
        return frozenset()
