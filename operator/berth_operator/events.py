"""Events on the objects that they are about, as `kubectl describe` shows them: few, and never the same one again and again.

`tell` only queues; a task writes. An event's name comes from what it says about whom, so that the same one is found again
after a restart: it is then counted up instead of written anew, at most once in `REPEAT_SECONDS`, and not at all when it was
to be said `once`. When more is said than can be written, the newest are dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b

import msgspec

from berth_api.packing_plan import PackingPlan
from berth_api.resource import API_VERSION
from berth_cluster.connection import ApiError, Connection
from berth_cluster.snapshot import Pod
from berth_operator.metrics import Metrics

REPEAT_SECONDS = 600.0
MAX_QUEUED = 1_000
MAX_REMEMBERED = 10_000
MAX_MESSAGE = 1_024
COMPONENT = "berth-operator"
CLUSTER_EVENTS_NAMESPACE = "default"
"""Where Kubernetes keeps events about objects without a namespace."""

CONFLICT, NOT_FOUND = 409, 404

logger = logging.getLogger(__name__)


class About(msgspec.Struct, frozen=True):
    """The object that an event is about."""

    kind: str
    namespace: str
    name: str
    uid: str = ""
    api_version: str = "v1"


def about_pod(pod: Pod) -> About:
    return About("Pod", pod.namespace, pod.name, pod.uid)


def about_plan(plan: PackingPlan) -> About:
    return About("PackingPlan", "", plan.metadata.name, plan.metadata.uid, API_VERSION)


class _Said(msgspec.Struct, frozen=True):
    about: About
    reason: str
    message: str
    warning: bool
    once: bool


class _CountedEvent(msgspec.Struct):
    count: int = 1


class Events:
    """Thread of one event loop. `tell` from anywhere; `run` in a task of its own."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics,
        *,
        instance: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._instance = instance
        self._clock = clock
        self._now = now
        self._queue: asyncio.Queue[_Said] = asyncio.Queue(MAX_QUEUED)
        self._last: dict[tuple[About, str, str], float] = {}

    def tell(
        self, about: About, reason: str, message: str, *, topic: str = "", warning: bool = False, once: bool = False
    ) -> None:
        """topic: what stays the same when only the words change (counts, say); such an event is not said again soon."""
        said = _Said(about, reason, message[:MAX_MESSAGE], warning, once)
        key = (about, reason, topic or said.message)
        last = self._last.get(key)
        if last is not None and (once or self._clock() - last < REPEAT_SECONDS):
            return
        try:
            self._queue.put_nowait(said)
        except asyncio.QueueFull:
            self._metrics.events.labels("dropped").inc()
            return
        self._last.pop(key, None)
        self._last[key] = self._clock()
        while len(self._last) > MAX_REMEMBERED:
            del self._last[next(iter(self._last))]

    async def run(self) -> None:
        """Writes what was told, in order; ends only by being cancelled."""
        while True:
            said = await self._queue.get()
            try:
                result = await self._write(said)
            except ApiError as error:
                result = "refused"
                logger.warning("event %s about %s was not written: %s", said.reason, said.about.name, error)
            self._metrics.events.labels(result).inc()

    async def _write(self, said: _Said) -> str:
        namespace = said.about.namespace or CLUSTER_EVENTS_NAMESPACE
        collection = f"/api/v1/namespaces/{namespace}/events"
        name = event_name(said.about, said.reason, said.message)
        stamp = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": _reference(said.about),
            "reason": said.reason,
            "message": said.message,
            "type": "Warning" if said.warning else "Normal",
            "count": 1,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }
        try:
            await self._connection.request("POST", collection, body=body)
            return "written"
        except ApiError as error:
            if error.status != CONFLICT:
                raise
        if said.once:
            return "repeated"
        known = msgspec.json.decode(await self._connection.request("GET", f"{collection}/{name}"), type=_CountedEvent)
        await self._connection.request(
            "PATCH",
            f"{collection}/{name}",
            body={"count": known.count + 1, "lastTimestamp": stamp},
            content_type="application/merge-patch+json",
        )
        return "repeated"


def event_name(about: About, reason: str, message: str) -> str:
    said = "\0".join((about.kind, about.namespace, about.name, about.uid, reason, message))
    return f"{about.name[:200]}.{blake2b(said.encode(), digest_size=8).hexdigest()}"


def _reference(about: About) -> dict[str, str]:
    fields = {
        "kind": about.kind,
        "namespace": about.namespace,
        "name": about.name,
        "uid": about.uid,
        "apiVersion": about.api_version,
    }
    return {key: value for key, value in fields.items() if value}
