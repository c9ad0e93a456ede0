"""Which pods stand where, by workload: what wishes about other pods are judged by.

Bound pods count until they begin to terminate. So do pods approved for one node and not yet seen bound, so that a burst spreads
or gathers rightly before the watch has caught up. Siblings are the pods of one workload and, where its controller brings new
pods up before old ones go, of one revision: pods that a rollout is about to remove are nothing to keep away from.

Cost: an event 2 us; a workload 1 KB and what `Counts` keeps of those that hints ask about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from berth_cluster.snapshot import Pod, WorkloadKey
from berth_intent.counts import Counts
from berth_intent.places import Places

REVISION = "pod-template-hash"
"""Of Deployments. A StatefulSet replaces pods one by one in their places, so there all revisions are siblings."""
BARE = "Pod"


class Siblings(NamedTuple):
    """Pods that wishes about the own workload mean."""

    workload: WorkloadKey
    revision: str


def siblings_of(pod: Pod) -> Siblings:
    return Siblings(pod.workload, next((value for key, value in pod.spec.labels if key == REVISION), ""))


class Company:
    def __init__(self, places: Places) -> None:
        self._places = places
        self._counts: dict[Siblings, Counts] = {}
        self._named: dict[str, dict[Siblings, Counts]] = {}
        self._waiting: dict[str, Siblings] = {}
        self._missing: Counter[Siblings] = Counter()
        self.names_changed = 0
        """Counts up whenever a workload's name is new or gone."""

    def stands(self, siblings: Siblings, row: int, count: int) -> None:
        """`count` more of them stand there; negative: fewer."""
        self._places.reach(row + 1)
        counts = self._counts.get(siblings)
        if counts is None:
            counts = self._counts[siblings] = Counts(self._places)
            named = self._named.setdefault(siblings.workload.name, {})
            self.names_changed += not named
            named[siblings] = counts
        counts.add(row, count)
        if not counts.on:
            del self._counts[siblings]
            named = self._named[siblings.workload.name]
            del named[siblings]
            if not named:
                del self._named[siblings.workload.name]
                self.names_changed += 1

    def waits(self, pod: Pod) -> None:
        """A pod as it stands now: it waits for a node, or does not any more."""
        identity = pod.uid or pod.key
        self.waits_no_more(identity)
        if pod.is_pending:
            self._waiting[identity] = siblings_of(pod)
            self._missing[self._waiting[identity]] += 1

    def waits_no_more(self, identity: str) -> None:
        siblings = self._waiting.pop(identity, None)
        if siblings is None:
            return
        self._missing[siblings] -= 1
        if not self._missing[siblings]:
            del self._missing[siblings]

    def own(self, siblings: Siblings) -> Counts:
        """Its siblings that stand somewhere."""
        return self._counts.get(siblings) or Counts(self._places)

    def others(self, namespace: str, name: str) -> tuple[Counts, ...]:
        """Pods of the workloads of a name: of its own namespace if it has one of that name, else of all."""
        named = self._named.get(name, {})
        here = tuple(counts for siblings, counts in named.items() if siblings.workload.namespace == namespace)
        return here or tuple(named.values())

    def missing(self, pod: Pod) -> int:
        """How many of its siblings wait for a node, itself among them."""
        found = self._missing[siblings_of(pod)]
        return found if (pod.uid or pod.key) in self._waiting else found + 1

    def names(self) -> Iterator[str]:
        """Of workloads that have pods standing; bare pods are none to speak of."""
        for name, named in self._named.items():
            if any(siblings.workload.kind != BARE for siblings in named):
                yield name
