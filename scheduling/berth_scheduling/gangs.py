"""Pods that are useless apart wait until there is room for enough of them.

A member may go when as many as the gang needs are bound or approved, or an active plan keeps places for all that are
missing. Held members would wait for ever where nobody plans, so a hold ends the policy's `gangHoldSeconds` after the first member was seen
waiting, by our own clock, and there is none without a live leader.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from berth_cluster.snapshot import Gang, Pod
from berth_scheduling.kept_room import kept_requests
from berth_scheduling.ledger import Ledger
from berth_scheduling.reservations import Reservations


class Members(msgspec.Struct):
    """Pods of one gang by identity, those that wait and those that are bound and stay."""

    waiting: dict[str, Pod] = {}
    bound: set[str] = set()
    since: float = 0.0
    """When the first of those that wait now was seen."""


class Gangs:
    def __init__(
        self,
        ledger: Ledger,
        reservations: Reservations,
        clock: Callable[[], float],
        hold_seconds: Callable[[Pod], float],
    ) -> None:
        self._ledger = ledger
        self._reservations = reservations
        self._clock = clock
        self._hold_seconds = hold_seconds
        self._gangs: dict[str, Members] = {}

    @property
    def waiting(self) -> int:
        """Members that wait for a node."""
        return sum(len(members.waiting) for members in self._gangs.values())

    def saw(self, pod: Pod) -> None:
        """A member as it stands now."""
        if pod.gang is None:
            return
        identity = pod.uid or pod.key
        members = self._gangs.setdefault(pod.gang.key, Members())
        none_waited = not members.waiting
        members.waiting.pop(identity, None)
        members.bound.discard(identity)
        if pod.terminating or pod.gated:
            self.forget(identity, pod.gang.key)
        elif pod.node is not None:
            members.bound.add(identity)
        else:
            if none_waited:
                members.since = self._clock()
            members.waiting[identity] = pod

    def forget(self, identity: str, gang: str) -> None:
        members = self._gangs.get(gang)
        if members is None:
            return
        members.waiting.pop(identity, None)
        members.bound.discard(identity)
        if not members.waiting and not members.bound:
            del self._gangs[gang]

    def missing(self, pod: Pod, gang: Gang) -> int:
        """How many places the gang lacks before this member may go; 0: it may.

        Counted for the gang as it stands, so that all its members get the same answer.
        """
        if pod.uid not in self._ledger:  # asked about before the watch told of it
            self.saw(pod)
        members = self._gangs.get(gang.key, Members())
        short = gang.minimum - len(members.bound) - self._ledger.approved_of_gang(gang.key)
        if short <= 0 or self._clock() - members.since >= self._hold_seconds(pod):
            return 0
        return max(short - self._places(members), 0)

    def _places(self, members: Members) -> int:
        """Places that plans keep for members that wait; each place and each member counts once."""
        kinds: dict[tuple[object, ...], list[Pod]] = {}
        for identity, pod in members.waiting.items():
            if identity not in self._ledger:
                key = (pod.workload, kept_requests(pod.spec.requests))
                kinds.setdefault(key, []).append(pod)
        total = 0
        for pods in kinds.values():
            groups = {id(group): group for pod in pods[:1] for _, group in self._reservations.places_for(pod)}
            total += min(sum(group.left for group in groups.values()), len(pods))
        return total
