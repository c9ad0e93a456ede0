"""Who stands where, as pods with wishes see it: the judge of `pleasing`, and of the plan's report on wishes.

The extender's own bookkeeping of workloads, and the load of every node, follow each pod that comes or goes; the score is asked of
the one scoring function then. Pods on their way out do not count. Cost: a pod 1 us to count, a node 30 us and all of 5,000 nodes 0.3 ms to judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable

import numpy as np
import numpy.typing as npt

from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.enforcing import meets
from berth_intent.intents import OF_WORKLOADS, Intent
from berth_intent.places import Rows, Shares
from berth_intent.present import Present
from berth_intent.scoring import Judgement, judge, score
from berth_intent.understood import Preference
from berth_planner.node_sets import Mask
from berth_planner.wishes import Wish, Wishes
from berth_scheduling.company import Company as Standing
from berth_scheduling.company import Siblings, siblings_of
from berth_scheduling.hints import SCARCE, asks_for_devices, model_of

Amounts = npt.NDArray[np.int64]

_ABOUT_LOAD = frozenset((Intent.PREFER_LEAST_LOADED, Intent.PREFER_MOST_PACKED))


class Company:
    def __init__(self, snapshot: Snapshot, wishes: Wishes) -> None:
        self._wishes = wishes
        self._number = {node.name: n for n, node in enumerate(snapshot.nodes)}
        names = sorted({name for pod in snapshot.pods for name, amount in pod.spec.requests if amount})
        scarce = [r for r, name in enumerate(names) if name in SCARCE or name.endswith("/gpu")]
        self._scarce = np.array(scarce, np.int64)
        self._column = {name: r for r, name in enumerate(names)}
        self._room: Amounts = np.zeros((len(snapshot.nodes), len(names)), np.int64)
        for n, node in enumerate(snapshot.nodes):
            for name, amount in node.allocatable:
                if name in self._column:
                    self._room[n, self._column[name]] = amount
        self._used: Amounts = np.zeros_like(self._room)
        self._requests: dict[int, tuple[object, Amounts]] = {}
        self._standing = Standing(wishes.places)
        self._kinds: dict[Wish, int] = {}
        self._siblings_mind: dict[Siblings, set[int]] = defaultdict(set)
        self._name_minded: dict[str, set[int]] = defaultdict(set)
        self._load_minded: set[int] = set()
        self._among: dict[int, tuple[object, Rows]] = {}
        for pod in snapshot.pods:
            self._standing.waits(pod)
            if pod.node is not None and not pod.terminating and pod.node in self._number:
                self._count(pod, self._number[pod.node], 1)

    def follow(self, ways: Iterable[tuple[Pod, int | None, int | None]]) -> None:
        """Each pod leaves the one node, if any, and comes to the other, if any."""
        for pod, source, target in ways:
            if source is not None:
                self.leave(pod, source)
            if target is not None:
                self.stand(pod, target)

    # What `pleasing` asks

    def kind(self, pod: Pod) -> Hashable | None:
        wish = self._wishes.of(pod)
        if wish is None:
            return None
        number = self._kinds.get(wish)
        if number is None:
            number = self._kinds[wish] = len(self._kinds)
            if wish.own is not None:
                self._siblings_mind[wish.own].add(number)
            for preference in wish.preferences:
                if preference.intent in OF_WORKLOADS:
                    for name in preference.values:
                        self._name_minded[name].add(number)
                if preference.intent in _ABOUT_LOAD:
                    self._load_minded.add(number)
        return number

    def minded_by(self, pod: Pod) -> Collection[Hashable]:
        own, named = self._siblings_mind.get(siblings_of(pod), ()), self._name_minded.get(pod.workload.name, ())
        return {*own, *named, *self._load_minded}

    def opinion(self, pod: Pod) -> Shares:
        rows = self._wishes.rows
        return self._scores(pod, rows) if self._wishes.of(pod) is not None else np.zeros(len(rows))

    def worth(self, pod: Pod, node: int) -> float:
        return float(self._scores(pod, np.array([node]))[0])

    def stand(self, pod: Pod, node: int) -> None:
        self._standing.waits_no_more(pod.uid or pod.key)
        self._count(pod, node, 1)

    def leave(self, pod: Pod, node: int) -> None:
        self._count(pod, node, -1)

    def meeting(self, pod: Pod, preference: Preference) -> Mask:
        """bool [nodes]: those that meet an enforced wish, as the filter would say it now."""
        return meets(preference, self._wishes.places, self._present(pod), self._wishes.rows, self.could(pod))

    # For people

    def judgements(self, pod: Pod, node: int) -> tuple[Judgement, ...]:
        """What each wish says of the node; the pod itself stands nowhere."""
        wish = self._wishes.of(pod)
        if wish is None:
            return ()
        return judge(wish.preferences, self._wishes.places, self._present(pod), node, self.could(pod))

    # Bookkeeping

    def _scores(self, pod: Pod, rows: Rows) -> Shares:
        wish = self._wishes.of(pod)
        assert wish is not None
        native = [shares[rows] for shares in self._wishes.native(pod.spec)]
        present = self._present(pod)
        return score(wish.preferences, self._wishes.places, present, rows, self.could(pod), native)

    def _present(self, pod: Pod) -> Present:
        request = self._request(pod)
        asked = np.flatnonzero(request)

        def load(rows: Rows) -> Shares:
            where = np.ix_(rows, self._scarce)
            used, room = self._used[where], self._room[where]
            shares = np.divide(used, room, out=np.zeros(room.shape), where=room > 0)
            return np.asarray(shares.max(axis=1, initial=0.0), np.float64)

        def fits(rows: Rows) -> Shares:
            if not len(asked):
                return np.full(len(rows), np.inf)
            free = np.maximum(self._room[np.ix_(rows, asked)] - self._used[np.ix_(rows, asked)], 0)
            return np.asarray((free // request[asked]).min(axis=1), np.float64)

        return Present(
            self._standing.own(siblings_of(pod)),
            lambda name: self._standing.others(pod.namespace, name),
            load,
            fits,
            self._standing.missing(pod),
            model_of(pod.spec),
            asks_for_devices(pod.spec),
        )

    def could(self, pod: Pod) -> Rows:
        """Nodes that it could have if they were empty."""
        known = self._among.get(id(pod.spec))
        if known is None:
            open_to = self._wishes.node_sets.eligible(pod.spec) & (self._room >= self._request(pod)).all(axis=1)
            known = self._among[id(pod.spec)] = (pod.spec, np.flatnonzero(open_to))
        return known[1]

    def _count(self, pod: Pod, node: int, change: int) -> None:
        self._standing.stands(siblings_of(pod), node, change)
        self._used[node] += change * self._request(pod)

    def _request(self, pod: Pod) -> Amounts:
        """Kept with the spec, whose identity is its key."""
        known = self._requests.get(id(pod.spec))
        if known is None:
            vector = np.zeros(len(self._column), np.int64)
            for name, amount in pod.spec.requests:
                if name in self._column:
                    vector[self._column[name]] = amount
            known = self._requests[id(pod.spec)] = (pod.spec, vector)
        return known[1]
