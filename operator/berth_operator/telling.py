"""Tells waiting pods: writes `berth.dev/why` where it changed, keeps autoscalers from buying nodes for pods that are planned.

Patches carry the pod's uid, so that a namesake is never told another's answer, and go a few at a time. Cost: one small patch
for each pod whose answer changed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from pydantic import ValidationError

from berth_api.annotations import SCALE_UP_DELAY, WHY, Why
from berth_cluster.connection import ApiError, Connection
from berth_cluster.snapshot import Pod
from berth_operator.metrics import Metrics

AT_ONCE = 8
GONE = (404, 409)

logger = logging.getLogger(__name__)


class PodTeller:
    def __init__(self, connection: Connection, metrics: Metrics) -> None:
        self._connection = connection
        self._metrics = metrics

    async def tell(self, whys: Mapping[str, Why], pods: Mapping[str, Pod], delay_seconds: int) -> int:
        """Write those that changed; how many did. delay_seconds: how long an autoscaler leaves planned pods alone."""
        changed = [(pods[key], why) for key, why in whys.items() if key in pods and read_why(pods[key].why) != why]
        at_once = asyncio.Semaphore(AT_ONCE)

        async def write(pod: Pod, why: Why) -> None:
            async with at_once:
                await self._write(pod, why, delay_seconds)

        await asyncio.gather(*(write(pod, why) for pod, why in changed))
        return len(changed)

    async def _write(self, pod: Pod, why: Why, delay_seconds: int) -> None:
        body = {
            "metadata": {
                "uid": pod.uid,
                "annotations": {
                    WHY: why.model_dump_json(by_alias=True, exclude_none=True),
                    SCALE_UP_DELAY: f"{delay_seconds}s" if why.plan is not None else None,
                },
            }
        }
        try:
            await self._connection.request(
                "PATCH",
                f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}",
                body=body,
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status in GONE:
                self._metrics.annotations.labels("gone").inc()
                return
            self._metrics.annotations.labels("failed").inc()
            logger.warning("pod %s was not told why it waits: %s", pod.key, error)
            return
        self._metrics.annotations.labels("written").inc()


def read_why(raw: str) -> Why | None:
    """What the annotation says; None when there is none or it is not ours to read."""
    if not raw:
        return None
    try:
        return Why.model_validate_json(raw)
    except ValidationError:
        return None
