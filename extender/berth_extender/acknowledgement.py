"""The extender's own Lease: that it lives, which active plans' room it keeps, and whether kube-scheduler asks it.

The operator evicts nobody before every live extender has said that it keeps the plan's room. It says so in the annotation
`berth.dev/plans` of its Lease `berth-extender-<identity>`, renewed every 5 s and at once when the set of plans changes.
`berth.dev/calls` counts the calls answered: of several extenders, the one whose count rises is beside the scheduler that
leads, and is said at once after a time without calls.
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
    CALLS_ANSWERED,
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
    """Keeps the Lease. `plans` tells the uids of the plans whose room is kept at this moment, `calls` how many calls have been
    answered. pod_uid: of the pod that this process runs in, if it does: the Lease goes when that pod is deleted."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics,
        plans: Callable[[], tuple[str, ...]],
        calls: Callable[[], int],
        *,
        identity: str,
        namespace: str,
        pod_uid: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._plans = plans
        self._calls = calls
        self._identity = identity
        self._pod_uid = pod_uid
        self._now = now
        self._renew_seconds = renew_seconds
        self._changed = asyncio.Event()
        self._said: tuple[str, ...] | None = None
        self._said_calls = 0
        self._idle = True
        """No call came between the last two renewals."""
        self._failing = False
        self.name = lease_name(identity)
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{self.name}"

    def look(self) -> None:
        """Says at once what is new about the plans, and that calls come again. Cheap; call it whenever that may be."""
        if self._said is not None and (
            self._plans() != self._said or (self._idle and self._calls() > self._said_calls)
        ):
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
        plans, calls = self._plans(), self._calls()
        try:
            await self._connection.request(
                "PATCH",
                self._path,
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=self._lease(plans, calls),
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
        self._said_calls, self._idle = calls, calls == self._said_calls
        self._metrics.lease_renewals.labels("renewed").inc()
        return True

    def _lease(self, plans: tuple[str, ...], calls: int) -> dict[str, object]:
        """As applied: all that we own of it."""
        owner = {"apiVersion": "v1", "kind": "Pod", "name": self._identity, "uid": self._pod_uid}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self.name,
                "labels": {COMPONENT_LABEL: EXTENDER_COMPONENT},
                "annotations": {ACKNOWLEDGED_PLANS: json.dumps(sorted(plans)), CALLS_ANSWERED: str(calls)},
                **({"ownerReferences": [owner]} if self._pod_uid else {}),
            },
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": DURATION_SECONDS,
                "renewTime": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }


def lease_name(identity: str) -> str:
    """A host may be called what no object may."""
    return EXTENDER_LEASE_PREFIX + _NOT_IN_NAMES.sub("-", identity.lower()).strip("-.")
