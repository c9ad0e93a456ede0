"""The pods that wait for a plan: who they are, since when, and who has had an answer that still holds.

A pod waits when kube-scheduler has said that it cannot be placed: scheduler `berth`, not bound, not gated, not going away,
marked Unschedulable. An answer (a plan that serves it, or a verdict) holds until something changes that may help
(`chances`); then the pod is open again, though not sooner than a backoff after its last answer, and in any case after
`REVISIT_SECONDS`: rest periods and hourly budgets end without an event. Times are seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from berth_api.annotations import SCHEDULER
from berth_cluster.snapshot import Pod

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 30.0
REVISIT_SECONDS = 300.0

UNKNOWN = -1


def waits_for_plan(pod: Pod) -> bool:
    return pod.scheduler == SCHEDULER and pod.is_pending and pod.unschedulable


@dataclass(slots=True)
class _Entry:
    pod: Pod
    since: float
    answered: float | None = None
    answered_at_change: int = UNKNOWN
    answers: int = 0
    rescue_after: float = float("-inf")

    def opens_at(self, changes: int) -> float:
        """When it may be looked at again."""
        if self.answered is None:
            return self.since
        if changes > self.answered_at_change:
            return self.answered + min(FIRST_RETRY_SECONDS * 2.0 ** min(self.answers - 1, 8), LONGEST_RETRY_SECONDS)
        return self.answered + REVISIT_SECONDS


class WaitingPods:
    """Keyed by uid; fed with every change of a pod."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._changes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def pods(self) -> tuple[Pod, ...]:
        return tuple(entry.pod for entry in self._entries.values())

    def pod_changed(self, old: Pod | None, new: Pod | None, now: float) -> bool:
        """Whether a pod began to wait."""
        if old is not None and (new is None or new.uid != old.uid):
            self._entries.pop(old.uid, None)
        if new is None:
            return False
        if not waits_for_plan(new):
            self._entries.pop(new.uid, None)
            return False
        entry = self._entries.get(new.uid)
        if entry is not None:
            entry.pod = new
            return False
        self._entries[new.uid] = _Entry(new, now)
        return True

    def something_changed(self) -> None:
        """Answers given so far may no longer hold."""
        self._changes += 1

    @property
    def changes(self) -> int:
        """Counts changes that may help: note it when a snapshot is taken, and hand it back with the answer."""
        return self._changes

    def answered(self, uids: Iterable[str], now: float, as_of: int = UNKNOWN) -> None:
        """These have had their answer, computed on a snapshot taken when `changes` was `as_of`.

        UNKNOWN: there was none (the solver failed), so that they are open again after the backoff.
        """
        for uid in uids:
            entry = self._entries.get(uid)
            if entry is not None:
                entry.answered, entry.answered_at_change = now, as_of
                entry.answers += 1

    def open(self, now: float) -> list[Pod]:
        """Pods without an answer that holds, most important first."""
        found = [e.pod for e in self._entries.values() if now >= e.opens_at(self._changes)]
        return sorted(found, key=lambda pod: (-pod.priority, pod.created, pod.key))

    def next_opening(self, now: float) -> float | None:
        """The next moment at which a pod that is not open now will be."""
        later = (e.opens_at(self._changes) for e in self._entries.values())
        return min((at for at in later if at > now), default=None)

    def seconds_waited(self, uid: str, now: float) -> float:
        entry = self._entries.get(uid)
        return 0.0 if entry is None else now - entry.since

    def to_rescue(self, now: float) -> list[tuple[Pod, float]]:
        """Pods and how long they have waited, most important first; without those that were tried a short while ago."""
        found = [(e.pod, now - e.since) for e in self._entries.values() if now >= e.rescue_after]
        return sorted(found, key=lambda entry: (-entry[0].priority, entry[0].created, entry[0].key))

    def was_looked_at(self, uid: str) -> bool:
        """Planning has had its turn, with or without an answer."""
        entry = self._entries.get(uid)
        return entry is not None and entry.answers > 0

    def rescue_tried(self, uid: str, until: float) -> None:
        entry = self._entries.get(uid)
        if entry is not None:
            entry.rescue_after = until
