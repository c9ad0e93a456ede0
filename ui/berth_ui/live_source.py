"""A live cluster as a `Source`: what `LiveCluster` and `ServiceWatch` know, painted at most four times a second, with a `Feed` of changes.

The picture is that of the last tick, so that an answer and its revision belong together. Nothing is asked of the API server for a
reader. Why pods wait is what the leader wrote on them; what would help beside that is found out by the planner when somebody looks, not
more often than every `EXPLAIN_EVERY` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cluster.live import LiveCluster
from berth_cluster.snapshot import Snapshot
from berth_planner.explanation import Explanation
from berth_ui.feed import Feed
from berth_ui.live_picture import Delta, LivePicture
from berth_ui.picture import Painted
from berth_ui.plan_views import newest_first
from berth_ui.services import ServiceWatch
from berth_ui.source import Kind
from berth_ui.thinking import BusyError, Thinker
from berth_ui.wire import Problem, ServiceView

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
"""Changes are told in pieces, at most this often."""
LOOK_SECONDS = 2.0
"""Between looks at what changes without a word: Leases that are no longer renewed, plans past their deadline."""
EXPLAIN_EVERY = 30.0
FIRST_EXPLANATION_SECONDS = 4.0
"""Where nobody leads, and so nobody told the pods, the first reader waits this long for it; later ones take the last."""
STALE_SECONDS = 120.0
"""A quiet watch is renewed well before: more means that the API server is out of reach."""


class LiveSource:
    """Run it beside the cluster's own `run`."""

    kind: Kind = "Live"

    def __init__(
        self,
        name: str,
        cluster: LiveCluster,
        services: ServiceWatch,
        thinker: Thinker,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.cluster = cluster
        self.feed = Feed()
        self.picture = LivePicture(now)
        self._services = services
        self._service_views: Sequence[ServiceView] = ()
        self._plans: Sequence[PackingPlan] = ()
        self._thinker = thinker
        self._clock = clock
        self.now = now
        self._wake = asyncio.Event()
        self._told: object = None
        self._explanations: Mapping[str, Explanation] = {}
        self._explained_at = float("-inf")
        self._explained: Snapshot | None = None
        self._explaining: asyncio.Task[None] | None = None
        self.picture.wake = services.wake = self._wake.set
        self.taken = ""
        self.history_fails: Callable[[], bool] = lambda: False

    def begin(self) -> None:
        """Hears of everything that is known, and of all that comes; whoever wants to be told of it is there by now."""
        self.cluster.listen(self.picture)
        self._tick()

    @property
    def revision(self) -> int:
        return self.feed.revision

    @property
    def synced(self) -> bool:
        return self.cluster.synced and self._services.synced

    def snapshot(self) -> Snapshot:
        return self.cluster.snapshot()

    def painted(self) -> Painted:
        return self.picture.painted

    def plans(self) -> Sequence[PackingPlan]:
        return self._plans

    def policies(self) -> Sequence[PackingPolicy]:
        return tuple(self.cluster.policies.values())

    def services(self) -> Sequence[ServiceView]:
        return self._service_views

    def metrics_of(self, namespace: str, pod: str) -> str:
        return self._services.metrics_of(namespace, pod)

    def leader(self) -> str:
        return self.picture.leader

    def scheduler_serves(self) -> bool:
        return self.picture.scheduler_serves

    def notices(self) -> list[Problem]:
        found = []
        if not self.synced:
            found.append(
                Problem(reason="NotSynced", message="the cluster is still being listed; what is shown is not all")
            )
        elif (quiet := self.cluster.staleness()) > STALE_SECONDS:
            found.append(
                Problem(
                    reason="ApiServerAway",
                    message=f"the API server has said nothing for {quiet:.0f} s: this is how the cluster stood then",
                )
            )
        if self.synced and not self.leader():
            found.append(
                Problem(
                    reason="NoLeader",
                    message="no operator leads: nothing is planned, and pods are placed as the stock scheduler would; "
                    "look at the operator's pods",
                )
            )
        if self.synced and not self.scheduler_serves():
            found.append(
                Problem(
                    reason="NoScheduler",
                    message="no scheduler berth with a live extender: pods of scheduler berth wait until there is one; "
                    "look at the scheduler's pods",
                )
            )
        if self.history_fails():
            found.append(
                Problem(reason="HistoryFails", message="the history cannot be written: is its disk full? See the log")
            )
        return found

    async def explanations(self) -> Mapping[str, Explanation]:
        """As of the last time that the planner looked: of pods that still wait."""
        snapshot = self.snapshot()
        if not any(pod.is_pending for pod in snapshot.pods):
            return {}
        due = self._explained is not snapshot and self._clock() - self._explained_at >= EXPLAIN_EVERY
        if due and self._explaining is None:
            self._explaining = asyncio.create_task(self._explain(snapshot), name="explain")
        if self._explaining is not None and self._explained is None and not self.leader():
            await asyncio.wait((self._explaining,), timeout=FIRST_EXPLANATION_SECONDS)
        return self._explanations

    async def run(self) -> None:
        """Keeps the picture current, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
            self._wake.clear()
            self._tick()
            await asyncio.sleep(TICK_SECONDS)

    def _tick(self) -> None:
        self.taken = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        delta = self.picture.collect()
        services = self._services.collect()
        if services:
            delta = delta.joined(Delta(services=services))
            self._service_views = self._services.views()
        if delta.plans:
            self._plans = newest_first(self.cluster.plans.values())
        told = (self.leader(), self.scheduler_serves(), [notice.reason for notice in self.notices()])
        if delta or told != self._told:
            self._told = told
            self.feed.push(delta)

    async def _explain(self, snapshot: Snapshot) -> None:
        try:
            planned = await self._thinker.plan(snapshot)
            self._explanations = {pod: each for each in planned.explanations for pod in each.pods}
            self._explained = snapshot
        except BusyError:
            pass  # the next reader asks again
        except Exception:
            logger.exception("why pods wait could not be worked out; what the leader wrote on them is shown alone")
        finally:
            self._explained_at = self._clock()
            self._explaining = None
