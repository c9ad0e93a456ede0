"""What the reflectors of one server tell each other: it answers again.

Each waits with a backoff of its own, which after an outage of 20 s has grown to as many: some would see the cluster again half
a minute after others. So the first that is answered wakes the rest. At most once in `ONCE_IN_SECONDS`, so that behind a
server that answers now this one and now that one they do not wake each other without end.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

ONCE_IN_SECONDS = 5.0


class Outage:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._over = asyncio.Event()
        self._last = float("-inf")

    async def wait(self, seconds: float) -> bool:
        """Whether it was over before the time was."""
        over = self._over
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await over.wait()
        return over.is_set()

    def is_over(self) -> None:
        """Wakes everybody who waits now."""
        if self._clock() - self._last < ONCE_IN_SECONDS:
            return
        self._last = self._clock()
        self._over.set()
        self._over = asyncio.Event()
