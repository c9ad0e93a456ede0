"""Whether the cluster has the custom metrics API, by which a HorizontalPodAutoscaler reads gauges of pods.

One GET of the group a minute. The API server answers it from what is registered (APIServices), also while the adapter behind it
is away, and that is what is wanted: an adapter that restarts is no reason to take replicas away. Any other answer than yes or no
changes nothing. Discovery is everybody's by the ClusterRole `system:discovery`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from berth_cluster.connection import ApiError, Connection

GROUP_PATH = "/apis/custom.metrics.k8s.io"
EVERY_SECONDS = 60.0
FIRST_RETRY = 1.0
_ABSENT = (403, 404)

logger = logging.getLogger(__name__)


class CustomMetrics:
    """Run it; `served` says what is known once `synced` is set."""

    def __init__(self, connection: Connection, changed: Callable[[], None]) -> None:
        self.served = False
        self.synced = asyncio.Event()
        self._connection = connection
        self._changed = changed

    async def run(self) -> None:
        """Until cancelled."""
        retry = FIRST_RETRY
        while True:
            known = await self._ask()
            if known is not None:
                differs = known != self.served or not self.synced.is_set()
                self.served = known
                self.synced.set()
                if differs:
                    self._changed()
                retry = FIRST_RETRY
            wait = EVERY_SECONDS if known is not None else min(retry, EVERY_SECONDS)
            retry *= 1 if known is not None else 2
            await asyncio.sleep(wait * random.uniform(0.75, 1.25))

    async def _ask(self) -> bool | None:
        """None: no answer to the question."""
        try:
            await self._connection.request("GET", GROUP_PATH)
        except ApiError as error:
            if error.status in _ABSENT:
                return False
            logger.debug("%s; going on with what is known", error)
            return None
        return True
