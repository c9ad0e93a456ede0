"""The extender's own Lease: that it lives, and which active plans' room it keeps.

The operator evicts nobody before every live extender has said that it keeps the plan's room. It says so in the annotation
`berth.dev/plans` of its Lease `berth-extender-<identity>`, renewed every 5 s and at once when the set of plans changes.
One server-side apply does all of it, whether the Lease exists or not, so that a restart of either side needs no care; while
the API server is away the renewal is tried again, with growing pauses, and everything else goes on.

Cost: one small request every 5 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from berth_api.annotations import (
    ACKNOWLEDGED_PLANS,
    COMPONENT_LABEL,
    EXTENDER_COMPONENT,
    EXTENDER_LEASE_PREFIX,
)
from berth_cluster.connection import ApiError, Connection
from berth_extender.metrics import Metrics

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
DURATION_SECONDS = 15
REQUEST_SECONDS = 4.0
"""Less than the Lease's duration by far: a request that hangs must leave time for another."""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 5.0
RELEASE_SECONDS = 0.5
FIELD_MANAGER = "berth-extender"

_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")


class Acknowledgement:
    """Keeps the Lease. `plans` tells the uids of the plans whose room is kept at this moment."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics,
        plans: Callable[[], tuple[str, ...]],
        *,
        identity: str,
        namespace: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._plans = plans
        self._identity = identity
        self._now = now
        self._renew_seconds = renew_seconds
        self._changed = asyncio.Event()
        self._said: tuple[str, ...] | None = None
        self._failing = False
        self.name = lease_name(identity)
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{self.name}"

    def look(self) -> None:
        """Says at once what is new about the plans. Cheap; call it whenever they may have changed."""
        if self._said is not None and self._plans() != self._said:
            self._changed.set()

    async def run(self) -> None:
        """Renews until cancelled."""
        pause = FIRST_RETRY_SECONDS
        while True:
            self._changed.clear()
            if await self._renew():
                pause = FIRST_RETRY_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._renew_seconds)
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    async def release(self) -> None:
        """Deletes the Lease, so that nobody waits for this extender. Best effort: otherwise it runs out."""
        try:
            await self._connection.request("DELETE", self._path, timeout=RELEASE_SECONDS)
        except ApiError as error:
            log.info("could not delete Lease %s, it runs out in %d s: %s", self.name, DURATION_SECONDS, error)

    async def _renew(self) -> bool:
        plans = self._plans()
        try:
            await self._connection.request(
                "PATCH",
                self._path,
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=lease(self.name, self._identity, plans, self._now()),
                content_type="application/apply-patch+yaml",
                timeout=REQUEST_SECONDS,
            )
        except ApiError as error:
            self._metrics.lease_renewals.labels("failed").inc()
            if not self._failing:
                self._failing = True
                log.warning("cannot renew Lease %s, trying on: %s", self.name, error)
            return False
        if plans != self._said:
            log.info("keeping the room of %d active plans: %s", len(plans), ", ".join(plans) or "none")
        if self._failing:
            self._failing = False
            log.info("Lease %s is renewed again", self.name)
        self._said = plans
        self._metrics.lease_renewals.labels("renewed").inc()
        return True


def lease(name: str, identity: str, plans: tuple[str, ...], now: datetime) -> dict[str, object]:
    """As applied: all that we own of it."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "labels": {COMPONENT_LABEL: EXTENDER_COMPONENT},
            "annotations": {ACKNOWLEDGED_PLANS: json.dumps(sorted(plans))},
        },
        "spec": {
            "holderIdentity": identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "renewTime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def lease_name(identity: str) -> str:
    """A host may be called what no object may."""
    return EXTENDER_LEASE_PREFIX + _NOT_IN_NAMES.sub("-", identity.lower()).strip("-.")
