"""A process that contends for a Lease and notes each moment at which it may act: `leads TIME`, by the machine's monotonic clock.

    python contender.py KUBECONFIG IDENTITY LEASE FILE [HOURS_WRONG]

HOURS_WRONG: how far its wall clock is off. SIGTERM: it gives the lease back and ends.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from berth_cluster.connection import Connection
from berth_operator.leadership import Leadership


async def main() -> None:
    kubeconfig, identity, lease, file, *rest = sys.argv[1:]
    wrong = timedelta(hours=float(rest[0]) if rest else 0.0)
    connection = await Connection.open(Path(kubeconfig))
    leadership = Leadership(
        connection,
        identity=identity,
        name=lease,
        namespace="berth-system",
        now=lambda: datetime.now(UTC) + wrong,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def contend() -> None:
        while True:
            await leadership.acquire()
            await leadership.hold()

    contending = asyncio.create_task(contend())
    with open(file, "a", buffering=1) as notes:
        while not stop.is_set():
            if leadership.leads:
                notes.write(f"leads {time.monotonic()}\n")
            await asyncio.sleep(0.01)
    contending.cancel()
    await asyncio.gather(contending, return_exceptions=True)
    await leadership.release()
    await connection.close()


asyncio.run(main())
