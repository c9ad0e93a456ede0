"""Filter, prioritize and preempt, decided on what the cluster told.

    scheduler = Scheduler()
    live_cluster.listen(scheduler)               # nodes, pods and plans, as they change
    scheduler.filter(pod, ["n1", "n2"])          # -> FilterAnswer
    scheduler.prioritize(pod, ["n1", "n2"])      # -> [("n1", 10), ("n2", 9)]

The extender and the simulator drive the same object. It does no I/O, and of the answers it gave it remembers only the
ledger of approved pods. All calls come from one thread. This file only puts the parts together: `filtering`, `ranking` and
`preemption` decide; `room`, `reservations`, `ledger`, `gangs` and `hints` know.

Cost at 5,000 nodes, on 2 shared cores: see benchmarks/scheduling_core.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Node, Pod
from berth_intent.parser import parse
from berth_scheduling.answers import FilterAnswer, PreemptAnswer
from berth_scheduling.company import siblings_of
from berth_scheduling.filtering import Filtering
from berth_scheduling.gangs import Gangs
from berth_scheduling.hints import Hints, spoken_of
from berth_scheduling.kept_room import GroupKey
from berth_scheduling.ledger import Ledger
from berth_scheduling.packing import Packing
from berth_scheduling.policies import Policies
from berth_scheduling.preemption import Preemption
from berth_scheduling.ranking import MAX_RANK, Ranking
from berth_scheduling.reservations import Reservations
from berth_scheduling.room import Room
from berth_scheduling.settings import Settings
from berth_scheduling.understanding import Improved, Parse

DEFAULTS = Settings()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    """`leader_alive` is set by whoever watches the leader's Lease; without a leader no pod is held for a plan."""

    def __init__(
        self,
        settings: Settings = DEFAULTS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        read: Parse = parse,
    ) -> None:
        """read: hint text and the cluster's names to what is understood."""
        self.leader_alive = False
        self._room = Room()
        self._reservations = Reservations(self._room, self._taken, now)
        self._policies = Policies(settings.gang_hold_seconds)
        self._hints = Hints(self._room, self._policies, clock, read)
        self._company = self._hints.company
        self._ledger = Ledger(self._room, self._company, clock, settings.ledger_seconds, self._reservations.touch)
        self._gangs = Gangs(self._ledger, self._reservations, clock, self._policies.gang_hold_seconds)
        self._packing = Packing(self._room, clock)
        self._ranking = Ranking(self._room, self._packing, self._hints)
        self._filtering = Filtering(
            settings, self._room, self._reservations, self._ledger, self._ranking, self._gangs, self._hints
        )
        self._preemption = Preemption(settings.scheduler_name, self._room, self._reservations, self._ledger)

    # The verbs

    def filter(self, pod: Pod, names: Sequence[str]) -> FilterAnswer:
        """Of the nodes offered, those that the pod may have; never one that was not offered."""
        return self._filtering.answer(pod, names, leader_alive=self.leader_alive)

    def prioritize(self, pod: Pod, names: Sequence[str]) -> list[tuple[str, int]]:
        """Ranks from 0 to 10, 10 the best. kube-scheduler will bind to one of the best, so the ledger keeps only those."""
        if not names:
            return []
        rows = self._room.rows_of(names)
        place = self._ledger.lift(pod)
        ranks = self._ranking.ranks(pod, rows)
        self._ledger.approve(pod, rows[ranks == MAX_RANK], place)
        return list(zip(names, ranks.tolist(), strict=True))

    def preempt(self, pod: Pod, candidates: Mapping[str, Sequence[str]]) -> PreemptAnswer:
        """Of the candidates offered, those that may go ahead, with the victims offered."""
        return self._preemption.answer(pod, candidates, leader_alive=self.leader_alive)

    # What the cluster tells

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        if old is not None and (new is None or new.name != old.name):
            row = self._room.rows.get(old.name)
            self._room.node_changed(old.name, None)
            if row is not None:
                self._hints.node_changed(row, None)
            self._reservations.touch(old.name)
        if new is not None:
            self._room.node_changed(new.name, new)
            if old is None or old.name != new.name or spoken_of(old) != spoken_of(new):
                self._hints.node_changed(self._room.rows[new.name], new)
            self._reservations.touch(new.name)

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """new None: deleted or finished."""
        if old is not None and (new is None or new.uid != old.uid):
            self._forget(old)
        if new is None:
            return
        if old is None or new.uid != old.uid:
            self._packing.observe(new.spec.requests)
        identity = new.uid or new.key
        before = self._room.bound(identity)
        if before is not None and before.node is not None:
            self._reservations.touch(before.node)
        self._company.waits(new)
        if new.node is not None:
            self._ledger.strike(identity)
            if before is not None:
                self._stands(before, -1)
            self._room.bind(new)
            self._stands(new, 1)
            self._reservations.touch(new.node)
        if new.gang is not None:
            self._gangs.saw(new)

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        self._reservations.plan_changed(old, new)

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        self._policies.policy_changed(old, new)
        self._hints.policies_changed()

    def lease_changed(self, old: object, new: object) -> None:
        """Leases are the extender's: it sets `leader_alive`."""

    def expire(self) -> None:
        """Ends what is over and tends what is kept for speed; to be called about once a second."""
        self._ledger.expire()
        self._reservations.refresh()
        self._packing.tend()
        self._hints.understanding.tend()

    def improve_hints(self, improved: Improved) -> None:
        """Hints are read by this from now on, where it has something better; again when it has more to say."""
        self._hints.understanding.improved = improved
        self._hints.understanding.forget()

    # What metrics and acknowledgements show

    @property
    def active_plan_uids(self) -> tuple[str, ...]:
        """Plans whose room is kept."""
        self._reservations.refresh()
        return self._reservations.uids

    @property
    def ledger_size(self) -> int:
        return len(self._ledger)

    @property
    def reserved_pods(self) -> int:
        """Places kept for pods that have not been approved yet."""
        return self._reservations.pods

    @property
    def waiting_gang_pods(self) -> int:
        return self._gangs.waiting

    def _forget(self, pod: Pod) -> None:
        identity = pod.uid or pod.key
        self._ledger.strike(identity)
        self._company.waits_no_more(identity)
        bound = self._room.bound(identity)
        if bound is not None:
            self._stands(bound, -1)
        self._room.release(identity)
        if bound is not None and bound.node is not None:
            self._reservations.touch(bound.node)
        if pod.gang is not None:
            self._gangs.forget(identity, pod.gang.key)

    def _stands(self, pod: Pod, count: int) -> None:
        """Keeps company in step with what stands on a node; a pod on its way out keeps nobody company."""
        if pod.node is not None and not pod.terminating:
            self._company.stands(siblings_of(pod), self._room.rows[pod.node], count)

    def _taken(self, node: str, group: GroupKey) -> int:
        return self._ledger.taken(node, group)
