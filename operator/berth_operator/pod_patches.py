"""What carrying out a plan writes on pods: `berth.dev/why` wakes one, `berth.dev/moved-at` lets it rest, `berth.dev/relieved-by`
asks for its replacement first.

Each patch carries the pod's uid, so that a namesake is left alone, and is not repeated while the cache may still lag.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from berth_api.annotations import DELETION_COST, LOWEST_DELETION_COST, MOVED_AT, RELIEVED_BY, WHY
from berth_cluster.connection import ApiError, Connection
from berth_operator.execution_actions import MarkMoved, Relieve, Wake
from berth_operator.execution_metrics import ExecutionMetrics

AT_ONCE = 8
PATCH_SECONDS = 5.0
REPEAT_SECONDS = 1.0
GONE = (404, 409)

logger = logging.getLogger(__name__)


class PodPatcher:
    def __init__(
        self,
        connection: Connection,
        metrics: ExecutionMetrics,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._clock = clock
        self._now = now
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._recent: dict[tuple[str, str], float] = {}

    def patch(self, action: Wake | MarkMoved | Relieve) -> None:
        """Starts it; nothing happens when the same was done a moment ago."""
        match action:
            case Wake():
                written = {WHY: action.why.model_dump_json(by_alias=True, exclude_none=True)}
            case MarkMoved():
                written = {MOVED_AT: self._now().strftime("%Y-%m-%dT%H:%M:%SZ")}
            case Relieve():
                written = {RELIEVED_BY: action.plan, DELETION_COST: LOWEST_DELETION_COST}
        annotation = next(iter(written))
        now = self._clock()
        self._recent = {key: at for key, at in self._recent.items() if now - at < REPEAT_SECONDS}
        if (annotation, action.uid) in self._recent:
            return
        self._recent[annotation, action.uid] = now
        task = asyncio.get_running_loop().create_task(self._patch(action, annotation, written))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))
        self._recent.clear()

    async def _patch(self, action: Wake | MarkMoved | Relieve, annotation: str, written: dict[str, str]) -> None:
        body = {"metadata": {"uid": action.uid, "annotations": written}}
        result = "written"
        async with self._at_once:
            try:
                await self._connection.request(
                    "PATCH",
                    f"/api/v1/namespaces/{action.namespace}/pods/{action.name}",
                    body=body,
                    content_type="application/merge-patch+json",
                    timeout=PATCH_SECONDS,
                )
            except ApiError as error:
                result = "gone" if error.status in GONE else "failed"
                if result == "failed":
                    logger.warning(
                        "%s/%s was not annotated with %s: %s", action.namespace, action.name, annotation, error
                    )
        self._metrics.pod_patches.labels(annotation, result).inc()
