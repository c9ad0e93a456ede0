"""Tasks that must not die quietly: one that ends with an error is logged, counted and started again after a pause."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from prometheus_client import Counter

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A task that ran so long starts again with the first pause."""

logger = logging.getLogger(__name__)


async def supervised(
    name: str,
    start: Callable[[], Awaitable[None]],
    restarts: Counter,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Runs `start()` for ever; ends only by being cancelled."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        began = clock()
        try:
            await start()
            logger.error("the task %r ended, which it never should; it is started again", name)
        except Exception:
            logger.exception("the task %r failed; it is started again in %.0f s", name, pause)
        restarts.labels(name).inc()
        if clock() - began >= HEALTHY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
