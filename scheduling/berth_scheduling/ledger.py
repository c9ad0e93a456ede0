"""Pods that were approved but are not bound yet.

An extender is never told what became of its answer: whether the pod was bound, bound elsewhere, or given up. So each
approval is written down, with all nodes that it may end on, and struck out when the watch shows the pod bound or gone,
when the same pod is asked again, or when its time is over. Until then its request counts on each of those nodes when
room kept by plans is judged, and the place that it takes in a plan counts as taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec
import numpy as np

from berth_cluster.snapshot import Pod
from berth_scheduling.company import Company, Siblings, siblings_of
from berth_scheduling.kept_room import GroupKey
from berth_scheduling.room import NOWHERE, Amounts, Requests, Room, Rows


class Entry(msgspec.Struct, frozen=True):
    requests: Requests
    rows: Rows
    place: tuple[str, GroupKey] | None
    """Node and group of the place that it takes in a plan."""
    gang: str | None
    siblings: Siblings
    expires: float


class Ledger:
    """`pending` is indexed as the room's table: requests of approved pods, on each node that they may end on."""

    def __init__(
        self, room: Room, company: Company, clock: Callable[[], float], seconds: float, touch: Callable[[str], None]
    ) -> None:
        self._room = room
        self._company = company
        self._clock = clock
        self._seconds = seconds
        self._touch = touch
        self._entries: dict[str, Entry] = {}
        self._taken: Counter[tuple[str, GroupKey]] = Counter()
        self._of_gang: Counter[str] = Counter()
        self._pending: Amounts = np.zeros_like(room.free)
        self._width = room.width

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, uid: str) -> bool:
        return uid in self._entries

    @property
    def pending(self) -> Amounts:
        if self._pending.shape != self._room.free.shape or self._width != self._room.width:
            self._width = self._room.width
            self._pending = np.zeros_like(self._room.free)
            for entry in self._entries.values():
                self._pending[entry.rows] += self._room.vector(entry.requests)
        return self._pending

    def approve(self, pod: Pod, rows: Rows, place: tuple[str, GroupKey] | None = None) -> None:
        """The pod may end on any of these rows; an earlier approval of it is void. One that is bound needs none."""
        identity = pod.uid or pod.key
        self.strike(identity)
        if self._room.bound(identity) is not None:
            return
        gang = pod.gang.key if pod.gang is not None else None
        entry = Entry(pod.spec.requests, rows, place, gang, siblings_of(pod), self._clock() + self._seconds)
        self.pending[rows] += self._room.vector(pod.spec.requests)
        self._entries[identity] = entry
        if len(rows) == 1:
            self._assume(entry, 1)
        if place is not None:
            self._taken[place] += 1
            self._touch(place[0])
        if gang is not None:
            self._of_gang[gang] += 1

    def lift(self, pod: Pod) -> tuple[str, GroupKey] | None:
        """Strikes a pod out that is about to be approved anew; gives the place that it takes in a plan."""
        identity = pod.uid or pod.key
        entry = self._entries.get(identity)
        self.strike(identity)
        return entry.place if entry is not None else None

    def strike(self, identity: str) -> None:
        pending = self.pending
        entry = self._entries.pop(identity, None)
        if entry is None:
            return
        pending[entry.rows] -= self._room.vector(entry.requests)
        if len(entry.rows) == 1:
            self._assume(entry, -1)
        if entry.place is not None:
            self._taken[entry.place] -= 1
            self._touch(entry.place[0])
            if not self._taken[entry.place]:
                del self._taken[entry.place]
        if entry.gang is not None:
            self._of_gang[entry.gang] -= 1
            if not self._of_gang[entry.gang]:
                del self._of_gang[entry.gang]

    def _assume(self, entry: Entry, count: int) -> None:
        """It can end on no other node: it is as good as there."""
        row = int(entry.rows[0])
        self._room.assume(row, entry.requests, count)
        if row != NOWHERE:
            self._company.stands(entry.siblings, row, count)

    def taken(self, node: str, group: GroupKey) -> int:
        """Places of a group on a node that approved pods take."""
        return self._taken[node, group]

    def approved_of_gang(self, gang: str) -> int:
        return self._of_gang[gang]

    def expire(self) -> int:
        """Strikes out what is too old; how many."""
        now = self._clock()
        late = [identity for identity, entry in self._entries.items() if entry.expires <= now]
        for identity in late:
            self.strike(identity)
        return len(late)
