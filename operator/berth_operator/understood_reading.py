"""Reads the hints of a live cluster for `understood_events`: what of a text counts under the policies, and what is out of reach.

The facts of nodes are kept until nodes or the labels that policies name change: of 5,000 nodes they take 0.1 s to make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.enforcing import meets
from berth_intent.improvements import Improvements
from berth_intent.node_wishes import ABOUT_NODES
from berth_intent.parser import parse
from berth_intent.present import Present
from berth_intent.sentences import phrase
from berth_intent.terms import Reading
from berth_operator.others_names import OthersNames
from berth_operator.understood_as import Outcome, outcomes
from berth_planner.hint_reading import HintReading
from berth_planner.node_sets import NodeSets
from berth_planner.out_of_reach import out_of_reach
from berth_scheduling.understanding import Parse


class HintReader:
    """Of one snapshot under its policies."""

    def __init__(self, reading: HintReading, snapshot: Snapshot) -> None:
        self._reading = reading
        self._sets = NodeSets(snapshot.nodes)
        self._others = OthersNames(snapshot)

    def outcomes(self, pod: Pod) -> tuple[Outcome, ...]:
        """None at all where hints do not count for the pod."""
        reading = self._reading.of(pod)
        if reading is None:
            return ()
        impossible = [*out_of_reach(reading.counting, self._reading.places), *self._waits_for_ever(pod, reading)]
        shown = self._others.left_out_of_all(reading.understood, pod)
        refused = [self._others.left_out(preference, pod) for preference in reading.refused]
        return outcomes(shown, refused=refused, impossible=impossible)

    def _waits_for_ever(self, pod: Pod, reading: Reading) -> Iterator[str]:
        """Enforced wishes about nodes that together leave the pod none of those that its own rules allow."""
        enforced = [p for p in reading.enforced if p.intent in ABOUT_NODES]
        rows = np.flatnonzero(self._sets.eligible(pod.spec))
        if not enforced or not len(rows):
            return
        places = self._reading.places
        met = np.logical_and.reduce([meets(p, places, Present.empty(places), rows, rows) for p in enforced])
        if not met.any():
            wishes = " and ".join(f'"{phrase(p)}"' for p in enforced)
            yield (
                f"strong wishes are enforced in namespace {pod.namespace}, and no node that the pod's own rules allow satisfies "
                f"{wishes}: it waits until there is one or the hint is changed"
            )


class HintReaders:
    """Makes readers; `read` is what turns a text into wishes, `answers` what a language model made of some."""

    def __init__(self, read: Parse = parse, answers: Callable[[], Mapping[str, str]] = dict) -> None:
        self._read = read
        self._answers = answers
        self._nodes: Sequence[Node] | None = None
        self._last: HintReading | None = None

    def __call__(self, snapshot: Snapshot, policies: Sequence[PackingPolicy]) -> HintReader:
        before = self._last if self._nodes is snapshot.nodes else None
        self._nodes, self._last = snapshot.nodes, HintReading.under(policies, snapshot, self._read, before)
        self._last.improved = Improvements(self._answers(), self._read).of
        return HintReader(self._last, snapshot)
