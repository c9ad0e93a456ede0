"""Which of Berth's processes are alive, told by their Leases.

Times in Leases are by their holders' clocks. Where all of them look old, it may be this machine's clock that is wrong: they are
looked at again, and who still renews is alive, whatever its clock says. That takes up to `LOOK_AGAIN_SECONDS`, and only then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from berth_cluster.leases import Lease

LOOK_AGAIN_SECONDS = 7.0
"""Extenders renew every 5 s, operators every 2."""
PAUSE_SECONDS = 1.0


def live_holders(
    look: Callable[[], Mapping[str, Lease]],
    *,
    matters: Callable[[str], bool],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[dict[str, Lease], frozenset[str]]:
    """All Leases that matter, by name, and the names of those that are held and renewed."""
    first = {name: lease for name, lease in look().items() if matters(name)}
    live = {name for name, lease in first.items() if _is_fresh(lease, now())}
    unclear = set() if live else {name for name, lease in first.items() if lease.holder}
    end = clock() + LOOK_AGAIN_SECONDS
    while unclear and clock() < end:
        sleep(PAUSE_SECONDS)
        again = look()
        renewed = {n for n in unclear if n in again and again[n].renewed != first[n].renewed}
        live |= renewed
        unclear -= renewed
    return first, frozenset(live)


def _is_fresh(lease: Lease, now: datetime) -> bool:
    if not lease.holder or not lease.renewed:
        return False
    try:
        renewed = datetime.fromisoformat(lease.renewed)
    except ValueError:
        return False
    return abs(now - renewed) <= timedelta(seconds=lease.duration_seconds)
