"""What the leader looks after between plans: policies' status, old plans, pods that nobody plans for, gauges."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from berth_api.annotations import Why
from berth_api.reasons import Reason
from berth_cluster.connection import Connection
from berth_cluster.live import LiveCluster
from berth_operator.budgets import moves_in_last_hour
from berth_operator.metrics import Metrics
from berth_operator.plan_writing import PlanWriter
from berth_operator.policy_in_force import PoliciesInForce
from berth_operator.policy_status import policy_status, write_policy_status
from berth_operator.retention import superfluous_plans
from berth_operator.telling import PodTeller, read_why
from berth_operator.waiting import WaitingPods

TEND_SECONDS = 5.0
UNANSWERED = "Unanswered"


class Tending:
    def __init__(
        self,
        connection: Connection,
        cluster: LiveCluster,
        writer: PlanWriter,
        teller: PodTeller,
        waiting: WaitingPods,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._cluster = cluster
        self._writer = writer
        self._teller = teller
        self._waiting = waiting
        self._metrics = metrics
        self._clock = clock
        self._now = now
        self._last = float("-inf")

    def hurry(self) -> None:
        """Something that is told here has changed."""
        self._last = float("-inf")

    async def tend(self, policies: PoliciesInForce) -> None:
        """Does nothing when it was done a moment ago. Raises ApiError."""
        at = self._clock()
        if at - self._last < TEND_SECONDS:
            return
        self._last = at
        now = self._now()
        plans = self._cluster.plans.values()
        self._count(at, now)
        for policy in list(self._cluster.policies.values()):
            status = policy_status(policy, policies.conflicts, plans, now)
            if status != policy.status:
                await write_policy_status(self._connection, policy, status)
        for plan in superfluous_plans(plans, policies.specs, now):
            await self._writer.delete(plan)
        await self._tell_outsiders(policies)

    async def _tell_outsiders(self, policies: PoliciesInForce) -> None:
        outside = [pod for pod in self._waiting.open(self._clock()) if policies.of(pod) is None]
        whys = {
            pod.key: Why(
                code=Reason.OUT_OF_SCOPE,
                message=f"no PackingPolicy covers {pod.key}: ordinary preemption serves it when its patience ends",
            )
            for pod in outside
        }
        await self._teller.tell(whys, {pod.key: pod for pod in outside}, 0)
        self._waiting.answered([pod.uid for pod in outside], self._clock(), self._waiting.changes)

    def _count(self, at: float, now: datetime) -> None:
        waiting = self._waiting.pods()
        told = (read_why(pod.why) for pod in waiting)
        reasons = Counter(UNANSWERED if why is None else why.code for why in told)
        self._metrics.waiting_pods.clear()
        for reason, count in reasons.items():
            self._metrics.waiting_pods.labels(reason).set(count)
        self._metrics.longest_wait.set(max((self._waiting.seconds_waited(p.uid, at) for p in waiting), default=0.0))
        self._metrics.moves_last_hour.set(moves_in_last_hour(self._cluster.plans.values(), now))
