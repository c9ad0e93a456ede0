"""The verbs that kube-scheduler calls, each as a bare ASGI application.

Its scheduling loop is serial: what a call costs here is paid by every pod. So a verb is a function from bytes to bytes,
between a body read whole and an answer written whole; no framework stands in between.

A request that is not what kube-scheduler sends gets 4xx and a reason. Whatever else goes wrong, a bug of ours included,
leaves the decision to the stock scheduler: filter passes every node, prioritize prefers none, preempt keeps the candidates
as they came; it is counted, and logged once a minute.

    filter       POST ExtenderArgs            ExtenderFilterResult
    prioritize   POST ExtenderArgs            [HostPriority]
    preempt      POST ExtenderPreemptionArgs  ExtenderPreemptionResult
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from enum import StrEnum
from typing import Any

from msgspec import Raw

from berth_api.reasons import Reason
from berth_cluster.errors import FieldError
from berth_cluster.snapshot import Pod
from berth_extender.asked_pods import AskedPods
from berth_extender.metrics import Metrics
from berth_extender.refusal import Refusal
from berth_extender.request_body import Gone, check_head, read_body
from berth_extender.wire import (
    MalformedError,
    PodIdentity,
    filter_result,
    preemption_result,
    prioritize_result,
    read_nodes_asked,
    read_pod_identity,
    read_victims_asked,
)
from berth_scheduling.scheduler import Scheduler

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
"""Bytes. 5,000 names are 0.1 MB; 1,000 whole nodes with long image lists are about 16 MB."""
BODY_SECONDS = 5.0
"""A body must be here in this time: kube-scheduler's own default timeout for the whole call."""
SYNC_SECONDS = 0.5
"""How long a call waits for the first full view of the cluster: half of the bundled scheduler's timeout of a second."""
START_SECONDS = 10.0
"""How long after its start a process that has not seen the cluster yet lets calls wait at all."""
LOG_SECONDS = 60.0
"""A fallback of one kind is logged this often at most."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

VERBS = ("filter", "prioritize", "preempt")

_JSON = (b"content-type", b"application/json")


class Fallback(StrEnum):
    """Why an answer left everything to the stock scheduler."""

    NOT_SYNCED = "NotSynced"  # the first full view of the cluster is not there yet
    UNREADABLE_POD = "UnreadablePod"  # a pod that the watch has not shown, of a shape that we do not know
    BUG = "Bug"


class Verbs:
    """Answers filter, prioritize and preempt from what `scheduler` decides on the pods that `pods` knows.

    `synced` is set once the first full view of the cluster is there. A call that comes earlier waits `sync_seconds` for it,
    as long as the process is younger than `start_seconds`, and then falls back: nobody knows yet what room plans keep.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        pods: AskedPods,
        metrics: Metrics,
        synced: asyncio.Event,
        *,
        max_body: int = MAX_BODY,
        body_seconds: float = BODY_SECONDS,
        sync_seconds: float = SYNC_SECONDS,
        start_seconds: float = START_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._scheduler = scheduler
        self._pods = pods
        self._metrics = metrics
        self._synced = synced
        self._max_body = max_body
        self._body_seconds = body_seconds
        self._sync_seconds = sync_seconds
        self._clock = clock
        self._wait_until = clock() + start_seconds
        self.answered = 0
        """Calls that got an answer."""
        self._logged: dict[tuple[str, str], float] = {}
        self._answer: dict[str, Callable[[bytes], bytes]] = {
            "filter": self.filter,
            "prioritize": self.prioritize,
            "preempt": self.preempt,
        }
        self._outcomes: dict[tuple[str, str], Callable[[], None]] = {}
        self._latency = {verb: metrics.latency.labels(verb).observe for verb in self._answer}

    async def __call__(self, verb: str, scope: Scope, receive: Receive, send: Send) -> None:
        """One call of `verb`."""
        try:
            check_head(scope, self._max_body)
            body = await read_body(receive, self._max_body, self._body_seconds)
            started = self._clock()
            if not self._synced.is_set():
                await self._wait_for_sync()
            answer = self._answer[verb](body)
            self.answered += 1
        except MalformedError as error:
            await self._refuse(Refusal(400, Reason.MALFORMED_REQUEST, str(error)), send)
        except Refusal as refusal:
            await self._refuse(refusal, send)
        except Gone:
            return
        else:
            headers = [_JSON, (b"content-length", b"%d" % len(answer))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})
            self._latency[verb](self._clock() - started)

    def filter(self, body: bytes) -> bytes:
        """Which of the nodes may take the pod. Raises MalformedError."""
        asked = read_nodes_asked(body)

        def decide(pod: Pod) -> tuple[bytes, str]:
            decided = self._scheduler.filter(pod, asked.names)
            return filter_result(asked, decided.nodes, decided.failed, decided.unresolvable), decided.outcome

        return self._decided("filter", asked.pod, decide, lambda: filter_result(asked, asked.names, {}, {}))

    def prioritize(self, body: bytes) -> bytes:
        """Which of them rather. Raises MalformedError."""
        asked = read_nodes_asked(body)

        def decide(pod: Pod) -> tuple[bytes, str]:
            return prioritize_result(self._scheduler.prioritize(pod, asked.names)), "ranked"

        return self._decided("prioritize", asked.pod, decide, lambda: prioritize_result(()))

    def preempt(self, body: bytes) -> bytes:
        """On which nodes pods may be deleted for this one. Raises MalformedError."""
        asked = read_victims_asked(body)

        def decide(pod: Pod) -> tuple[bytes, str]:
            decided = self._scheduler.preempt(pod, asked.candidates)
            return preemption_result(asked, decided.nodes), decided.outcome

        return self._decided("preempt", asked.pod, decide, lambda: preemption_result(asked, asked.candidates))

    def _decided(
        self, verb: str, raw: Raw, decide: Callable[[Pod], tuple[bytes, str]], stock: Callable[[], bytes]
    ) -> bytes:
        identity = read_pod_identity(raw)
        if not self._synced.is_set():
            self._fell_back(verb, Fallback.NOT_SYNCED, identity)
            return stock()
        try:
            answer, outcome = decide(self._pods.find(identity, raw))
        except FieldError as error:
            self._fell_back(verb, Fallback.UNREADABLE_POD, identity, error)
            return stock()
        except Exception as error:  # a bug here must not keep a pod from being scheduled
            self._fell_back(verb, Fallback.BUG, identity, error)
            return stock()
        self._outcome(verb, outcome)
        return answer

    def _outcome(self, verb: str, outcome: str) -> None:
        count = self._outcomes.get((verb, outcome))
        if count is None:
            count = self._outcomes[verb, outcome] = self._metrics.outcomes.labels(verb, outcome).inc
        count()

    def _fell_back(self, verb: str, why: Fallback, identity: PodIdentity, error: Exception | None = None) -> None:
        self._metrics.fallbacks.labels(verb, why).inc()
        now = self._clock()
        if now - self._logged.get((verb, why), -LOG_SECONDS) >= LOG_SECONDS:
            self._logged[verb, why] = now
            pod = f"{identity.namespace}/{identity.name}"
            said = f"{why}: {error}" if isinstance(error, FieldError) else why  # what a tenant wrote is no bug of ours
            traceback = None if isinstance(error, FieldError) else error
            log.warning("%s of pod %s was left to kube-scheduler: %s", verb, pod, said, exc_info=traceback)

    async def _refuse(self, refusal: Refusal, send: Send) -> None:
        self._metrics.refused.labels(refusal.reason).inc()
        log.warning("refused a request with %d %s: %s", refusal.status, refusal.reason, refusal.message)
        await refusal.send(send)

    async def _wait_for_sync(self) -> None:
        if self._clock() < self._wait_until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._synced.wait(), self._sync_seconds)
