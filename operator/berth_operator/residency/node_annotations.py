"""Writes on each node which models lie there, `berth.dev/models`, while leading: only what differs from what stands.

A watch of the pods that carry `berth.dev/model` says what they brought; the cluster's own watch says what nodes' annotations say
now. A change is waited on for a moment, since a rollout changes many pods; now and then all is compared again. Nothing is
written before both watches have listed everything: what is not seen yet is not gone.

Cost: a round over 10,000 copies and 5,000 nodes 7 to 16 ms; a patch for each node that differs, a few at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from berth_api.annotations import MODEL_LABEL
from berth_api.node_models import MODELS, Models, written
from berth_cluster.connection import ApiError, Connection
from berth_cluster.outage import Outage
from berth_cluster.reflector import Collection, Place, Reflector
from berth_cluster.snapshot import Node
from berth_cluster.watching import Pace
from berth_operator.residency.copies import Copy, FetchingPod, copy_of, models_by_node

SETTLE_SECONDS = 2.0
"""Between two rounds: what changes meanwhile is one change."""
AGAIN_SECONDS = 30.0
"""Also after nothing was seen to change: nodes and volumes come too, and a write may have failed."""
AT_ONCE = 4
PATCH_SECONDS = 5.0
REPEAT_SECONDS = 10.0
"""So long what was written is believed rather than the watch, which may lag behind."""
GONE = 404

logger = logging.getLogger(__name__)


class Cluster(Protocol):
    @property
    def synced(self) -> bool: ...

    def nodes(self) -> Iterable[Node]: ...

    def lies_on_node(self, namespace: str, claim: str) -> bool: ...


class _Copies:
    """What pods have brought, by pod."""

    def __init__(self) -> None:
        self.by_pod: dict[Place, Copy | None] = {}
        self.changed = asyncio.Event()

    def put(self, pod: FetchingPod) -> None:
        place, copy = (pod.metadata.namespace or "", pod.metadata.name), copy_of(pod)
        if self.by_pod.get(place) != copy:
            self.changed.set()
        self.by_pod[place] = copy

    def remove(self, place: Place) -> None:
        if self.by_pod.pop(place, None) is not None:
            self.changed.set()

    def places(self) -> Sequence[Place]:
        return list(self.by_pod)


class NodeAnnotations:
    """`watch` always, `run` while leading."""

    def __init__(
        self,
        connection: Connection,
        fenced: Connection,
        cluster: Cluster,
        *,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace = Pace(),  # noqa: B008 (a frozen value)
    ) -> None:
        """connection: to watch with. fenced: to write with."""
        self.restarts: Counter[str] = Counter()
        self._fenced = fenced
        self._cluster = cluster
        self._clock = clock
        self._copies = _Copies()
        self._recent: dict[str, tuple[float, Models]] = {}
        self._pods: Reflector[FetchingPod] = Reflector(
            connection,
            Collection("/api/v1/pods", FetchingPod, labels=MODEL_LABEL),
            self._copies,
            self.restarts,
            pace,
            clock,
            outage=Outage(clock),
        )

    async def watch(self) -> None:
        """Until cancelled."""
        await self._pods.run()

    async def run(self) -> None:
        """Until cancelled."""
        await self._pods.synced.wait()
        self._recent.clear()
        while True:
            self._copies.changed.clear()
            if self._cluster.synced:
                await self.write_what_differs()
            await asyncio.sleep(SETTLE_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._copies.changed.wait(), AGAIN_SECONDS)

    async def write_what_differs(self) -> None:
        """One round."""
        now = self._clock()
        self._recent = {name: said for name, said in self._recent.items() if now - said[0] < REPEAT_SECONDS}
        held = models_by_node((c for c in self._copies.by_pod.values() if c is not None), self._cluster.lies_on_node)
        differing = [
            (node.name, models)
            for node in self._cluster.nodes()
            if (models := held.get(node.name, ())) != self._recent.get(node.name, (now, node.models))[1]
        ]
        at_once = asyncio.Semaphore(AT_ONCE)
        errors = await asyncio.gather(*(self._write(at_once, name, models) for name, models in differing))
        if failed := [error for error in errors if error is not None]:
            logger.warning("%d nodes were not annotated with their models, such as: %s", len(failed), failed[0])

    async def _write(self, at_once: asyncio.Semaphore, node: str, models: Models) -> ApiError | None:
        async with at_once:
            try:
                await self._fenced.request(
                    "PATCH",
                    f"/api/v1/nodes/{node}",
                    body={"metadata": {"annotations": {MODELS: written(models)}}},
                    content_type="application/merge-patch+json",
                    timeout=PATCH_SECONDS,
                )
            except ApiError as error:
                return error if error.status != GONE else None
            self._recent[node] = (self._clock(), models)
            return None
