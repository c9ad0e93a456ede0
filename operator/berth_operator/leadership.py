"""One leader: acquire, renew and give back a Lease, so that two operators never act at the same time.

As client-go does it (tools/leaderelection): every contender looks at the Lease each `RETRY_SECONDS`; who holds it renews it;
who does not waits until it has not changed for its whole duration, by its own monotonic clock, and then takes it with an
update that carries the resourceVersion it saw, so that of two who try one fails. Wall clocks of machines are never compared.

What keeps a frozen leader harmless: it leads only while less than `RENEW_DEADLINE` has passed on its own monotonic clock
since it *began* its last renewal that succeeded, and others wait for `DURATION`, which is longer. `leads` answers from the
clock, not from a flag: whoever writes to the cluster asks it directly before each write (`fencing`).

The official client's `leaderelection` was looked at and left: it runs in threads, compares wall clocks and cannot give back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from berth_cluster.connection import ApiError, Connection

DURATION_SECONDS = 15
RENEW_DEADLINE = 10.0
RETRY_SECONDS = 2.0
REQUEST_SECONDS = 5.0

CONFLICT, NOT_FOUND = 409, 404

logger = logging.getLogger(__name__)

_MICRO_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def utc_now() -> datetime:
    return datetime.now(UTC)


class LeaseSpec(msgspec.Struct, rename="camel", omit_defaults=True):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _LeaseMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Lease(msgspec.Struct):
    metadata: _LeaseMeta
    spec: LeaseSpec = msgspec.field(default_factory=LeaseSpec)


class Leadership:
    """Contends for one Lease. `leads` is True while this process may act."""

    def __init__(
        self,
        connection: Connection,
        *,
        identity: str,
        name: str,
        namespace: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._connection = connection
        self._identity = identity
        self._name = name
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._collection}/{name}"
        self._clock = clock
        self._now = now
        self._renewed: float | None = None
        self._seen: tuple[str, str] = ("", "")
        self._seen_at = 0.0
        self._complained = ""
        """What was logged last; the same again is not, until a look succeeds."""
        self.holder = ""
        """Who leads, as last seen."""

    @property
    def leads(self) -> bool:
        """Whether this process may act now; computed from the clock."""
        return self._renewed is not None and self._clock() - self._renewed < RENEW_DEADLINE

    async def acquire(self) -> None:
        """Returns when this process leads."""
        while not await self._try():
            await asyncio.sleep(RETRY_SECONDS)
        logger.info("%s leads (lease %s)", self._identity, self._name)

    async def hold(self) -> None:
        """Renews; returns when leadership is lost, and says why in the log."""
        while True:
            await asyncio.sleep(min(RETRY_SECONDS, self._left()))
            if not self.leads:
                self._renewed = None
                logger.error("leadership lost: the lease could not be renewed for %.0f s", RENEW_DEADLINE)
                return
            await self._try()
            if self.holder not in ("", self._identity):
                self._renewed = None
                logger.error("leadership lost: %s holds the lease", self.holder)
                return

    async def release(self) -> None:
        """Give it back, so that the next one need not wait. Nothing happens when it is not ours any more."""
        if self._renewed is None:
            return
        self._renewed = None
        try:
            lease = await self._read()
            if lease is not None and lease.spec.holder_identity == self._identity:
                lease.spec.holder_identity = ""
                lease.spec.lease_duration_seconds = 1
                lease.spec.renew_time = self._now().strftime(_MICRO_TIME)
                await self._write(lease)
        except (ApiError, OSError, TimeoutError) as error:
            logger.warning("the lease could not be given back; it ends by itself: %s", error)

    def _left(self) -> float:
        return 0.0 if self._renewed is None else max(RENEW_DEADLINE - (self._clock() - self._renewed), 0.0)

    async def _try(self) -> bool:
        """One look: take, renew or leave it. Errors of the server count as not renewed."""
        began = self._clock()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                taken = await self._take_or_renew()
        except ApiError as error:
            if error.status != CONFLICT:
                self._complain(str(error))
            return False
        except (OSError, TimeoutError, msgspec.MsgspecError) as error:
            self._complain(str(error) or type(error).__name__)
            return False
        self._complained = ""
        if taken:
            self._renewed = began
        return taken

    def _complain(self, message: str) -> None:
        if message != self._complained:
            self._complained = message
            logger.warning("lease %s could not be looked at, trying on: %s", self._name, message)

    async def _take_or_renew(self) -> bool:
        lease = await self._read()
        stamp = self._now().strftime(_MICRO_TIME)
        if lease is None:
            spec = LeaseSpec(self._identity, DURATION_SECONDS, stamp, stamp, 0)
            await self._create(spec)
            self.holder = self._identity
            return True
        spec = lease.spec
        self.holder = spec.holder_identity or ""
        seen = (lease.metadata.resource_version, self.holder)
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        unchanged = self._clock() - self._seen_at
        duration = spec.lease_duration_seconds or DURATION_SECONDS
        if self.holder not in ("", self._identity) and unchanged < duration:
            return False
        if self.holder != self._identity or self._renewed is None:
            spec.acquire_time = stamp
            spec.lease_transitions = (spec.lease_transitions or 0) + (self.holder != self._identity)
        spec.holder_identity = self._identity
        spec.lease_duration_seconds = DURATION_SECONDS
        spec.renew_time = stamp
        await self._write(lease)
        self.holder = self._identity
        return True

    async def _read(self) -> _Lease | None:
        try:
            body = await self._connection.request("GET", self._path, timeout=REQUEST_SECONDS)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return msgspec.json.decode(body, type=_Lease)

    async def _create(self, spec: LeaseSpec) -> None:
        body = self._body(spec, {"name": self._name})
        await self._connection.request("POST", self._collection, body=body, timeout=REQUEST_SECONDS)

    async def _write(self, lease: _Lease) -> None:
        body = self._body(lease.spec, {"name": self._name, "resourceVersion": lease.metadata.resource_version})
        await self._connection.request("PUT", self._path, body=body, timeout=REQUEST_SECONDS)

    def _body(self, spec: LeaseSpec, metadata: dict[str, str]) -> dict[str, Any]:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": msgspec.to_builtins(spec),
        }
