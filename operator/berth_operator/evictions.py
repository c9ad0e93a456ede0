"""Evictions through the Eviction API: each with the uid that is meant, several at once, refused ones again after a while.

The API server holds the disruption budgets: 429 means not now. 404 and 409 mean that the pod is gone already (the cache will
show it). Grace periods are the pods' own. A refused call is repeated with backoff, or when the server says; what the last
refusal was is kept for the decision. Calls end before a Lease could pass to another leader.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection

from berth_cluster.connection import ApiError, Connection
from berth_operator.execution_actions import Evict
from berth_operator.execution_metrics import ExecutionMetrics
from berth_operator.execution_view import Refusal

AT_ONCE = 16
CALL_SECONDS = 5.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 5.0
LONGEST_RETRY_AFTER_SECONDS = 30.0

MORE_THAN_ONE = "more than one PodDisruptionBudget"
"""The Eviction API's answer, 500, for a pod that two budgets select."""

NOT_FOUND, CONFLICT, TOO_MANY, FORBIDDEN, INVALID = 404, 409, 429, 403, 422

logger = logging.getLogger(__name__)


class Evictor:
    """`ask` starts a call; its outcome shows in the cache, in `refused`, and by `changed` being called."""

    def __init__(
        self,
        connection: Connection,
        metrics: ExecutionMetrics,
        changed: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._changed = changed
        self._clock = clock
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._calls: dict[str, asyncio.Task[None]] = {}
        self._again_at: dict[str, float] = {}
        self._attempts: dict[str, int] = {}
        self.refused: dict[str, Refusal] = {}

    @property
    def in_flight(self) -> frozenset[str]:
        return frozenset(self._calls)

    def ask(self, evict: Evict) -> None:
        """Nothing happens while a call for this pod is under way, or was refused or accepted a moment ago."""
        if evict.uid in self._calls or self._clock() < self._again_at.get(evict.uid, 0.0):
            return
        self.refused.pop(evict.uid, None)
        task = asyncio.get_running_loop().create_task(self._evict(evict))
        self._calls[evict.uid] = task
        task.add_done_callback(lambda _: self._calls.pop(evict.uid, None))
        task.add_done_callback(lambda _: self._changed())

    def forget_all_but(self, uids: Collection[str]) -> None:
        for known in (self.refused, self._again_at, self._attempts):
            for uid in [uid for uid in known if uid not in uids]:
                del known[uid]

    async def settle(self) -> None:
        """Until no call is under way."""
        while self._calls:
            await asyncio.wait(list(self._calls.values()))

    async def close(self) -> None:
        for call in list(self._calls.values()):
            call.cancel()
        await self.settle()

    async def _evict(self, evict: Evict) -> None:
        async with self._at_once:
            result = await self._ask_server(evict)
        self._metrics.evictions.labels(result).inc()

    async def _ask_server(self, evict: Evict) -> str:
        path = f"/api/v1/namespaces/{evict.namespace}/pods/{evict.name}"
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": evict.name, "namespace": evict.namespace},
            "deleteOptions": {"preconditions": {"uid": evict.uid}},
        }
        try:
            await self._connection.request("POST", f"{path}/eviction", body=body, timeout=CALL_SECONDS)
        except ApiError as error:
            return self._refuse(evict, error)
        logger.info("evicted %s/%s (%s)", evict.namespace, evict.name, evict.uid)
        self._again_at[evict.uid] = self._clock() + LONGEST_RETRY_SECONDS
        return "accepted"

    def _refuse(self, evict: Evict, error: ApiError) -> str:
        attempts = self._attempts[evict.uid] = self._attempts.get(evict.uid, 0) + 1
        wait = min(FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 8), LONGEST_RETRY_SECONDS)
        if error.retry_after is not None:
            wait = min(max(error.retry_after, FIRST_RETRY_SECONDS), LONGEST_RETRY_AFTER_SECONDS)
        self._again_at[evict.uid] = self._clock() + wait
        if error.status in (NOT_FOUND, CONFLICT):
            return "gone"
        by_budget = error.status == TOO_MANY and "disruption budget" in error.message.lower()
        final = error.status in (FORBIDDEN, INVALID) or MORE_THAN_ONE in error.message
        if error.status:  # without one it is not known whether the server has acted: the record stays
            self.refused[evict.uid] = Refusal(error.message, by_budget, final)
        if attempts == 1 or final:
            logger.warning("%s/%s was not evicted: %s", evict.namespace, evict.name, error)
        if by_budget:
            return "blocked by a disruption budget"
        return "refused" if error.status else "not answered"
