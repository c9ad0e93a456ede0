"""What hinted pods wish about nodes, as the solver takes it: by the one scoring function, as its third objective.

Only what hangs on the node alone is in it; wishes about other pods are for `company`. A preference is listed for nodes above
the worst that a pod could have, in proportion to the largest difference that any pod sees, so that strong, plain and weak wishes
keep their order between pods and the solver's numbers their precision. Preferred node affinity counts as a plain wish.

Cost: 0.2 ms at 5,000 nodes, once a distinct set of wishes; nothing without hints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from berth_cluster.snapshot import Pod, PodSpec, PreferredNodeTerm, Snapshot
from berth_intent.intents import OF_WORKLOADS, SPREAD, Intent
from berth_intent.node_wishes import ABOUT_NODES
from berth_intent.places import Places, Rows, Shares
from berth_intent.present import Present
from berth_intent.scoring import depends_on_placement, keeps_siblings_apart, score
from berth_intent.understood import Preference
from berth_planner.hint_reading import HintReading, Reading
from berth_planner.node_sets import Mask, NodeSets
from berth_planner.shapes import Shape
from berth_scheduling.company import Siblings, siblings_of
from berth_scheduling.hints import asks_for_devices, model_of

NodeShares = tuple[tuple[int, float], ...]
"""(node, 0..1), sorted by node."""

MAX_SHARES = 1_000_000
"""Entries of all classes together that are handed to the solver; beyond that classes go without, those that only stand first."""
LEAST_DIFFERENCE = 1e-12

ABOUT_SIBLINGS = frozenset(
    (*SPREAD.values(), Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT)
)


class Wish(msgspec.Struct, frozen=True):
    """Equal for pods that think alike, wherever they stand."""

    preferences: tuple[Preference, ...]
    """Without the words that they came from."""
    native: tuple[PreferredNodeTerm, ...] = ()
    model: str = ""
    namespace: str = ""
    """Where names of other workloads are looked up; empty when there are none."""
    own: Siblings | None = None
    """Who is meant by wishes about siblings; None when there are none."""

    @property
    def is_about_others(self) -> bool:
        return depends_on_placement(self.preferences)


class Wishes:
    """Of one snapshot. Holds only caches."""

    def __init__(self, snapshot: Snapshot, reading: HintReading, node_sets: NodeSets) -> None:
        self.reading = reading
        self.any = any(reading.of(pod) is not None for pod in snapshot.pods if pod.hint)
        """Without hints nothing here is asked, and plans are what they were."""
        self.all_asked = True
        """Every class's wishes about nodes are in the solver's problem."""
        self.node_sets = node_sets
        self.rows: Rows = np.arange(len(snapshot.nodes))
        self._of: dict[tuple[object, ...], Wish | None] = {}
        self._native: dict[tuple[PreferredNodeTerm, ...], Shares] = {}

    @property
    def places(self) -> Places:
        return self.reading.places

    def of(self, pod: Pod) -> Wish | None:
        """None: it has none."""
        if not self.any:
            return None
        key = (pod.hint, id(pod.spec), pod.workload, pod.priority)
        if key not in self._of:
            self._of[key] = self._wish(pod, self.reading.of(pod))
        return self._of[key]

    def native(self, spec: PodSpec) -> list[Shares]:
        """float64 [nodes]: how far each meets the preferred node affinity; nothing where there is none."""
        terms = spec.preferred_nodes
        if not terms:
            return []
        if terms not in self._native:
            shares = np.zeros(len(self.rows))
            for node, share in self.node_sets.preference(spec):
                shares[node] = share
            self._native[terms] = shares
        return [self._native[terms]]

    def about_nodes(self, wish: Wish, spec: PodSpec) -> Shares | None:
        """float64 [nodes]: the score by what hangs on the node alone; None where nothing does."""
        about = [p for p in wish.preferences if p.intent in ABOUT_NODES]
        native = self.native(spec)
        if not about and not native:
            return None
        present = replace(Present.empty(self.places), model=wish.model)
        return score(about, self.places, present, self.rows, plain=native)

    def _wish(self, pod: Pod, reading: Reading | None) -> Wish | None:
        given = () if reading is None else reading.counting
        if not given and not pod.spec.preferred_nodes:
            return None
        preferences = tuple(msgspec.structs.replace(p, text="", start=0) for p in given)
        about_others = any(p.intent in OF_WORKLOADS for p in preferences)
        about_siblings = any(p.intent in ABOUT_SIBLINGS for p in preferences) or keeps_siblings_apart(
            preferences, devices=asks_for_devices(pod.spec)
        )
        return Wish(
            preferences,
            pod.spec.preferred_nodes,
            model_of(pod.spec) if any(p.intent is Intent.PREFER_CACHED_MODEL for p in preferences) else "",
            pod.namespace if about_others else "",
            siblings_of(pod) if about_siblings else None,
        )


def wished_of_nodes(wishes: Wishes, shapes: Sequence[Shape], open_to: Mapping[int, Mask]) -> dict[int, NodeShares]:
    """By number of shape, what it wishes of nodes alone, native preferences among it. open_to: nodes for new pods of each.

    The largest difference that any shape sees between two nodes is 1. Those with waiting pods come first where there is too
    much to hand over.
    """
    above: dict[int, Shares] = {}
    for s in sorted(open_to, key=lambda s: not shapes[s].pending):
        wish = wishes.of(shapes[s].example)
        shares = None if wish is None else wishes.about_nodes(wish, shapes[s].spec)
        if shares is not None and open_to[s].any():
            above[s] = np.where(open_to[s], shares - shares[open_to[s]].min(), 0.0)
    largest = max((float(shares.max()) for shares in above.values()), default=0.0)
    if largest <= LEAST_DIFFERENCE:
        return {}
    found: dict[int, NodeShares] = {}
    left = MAX_SHARES
    for s, shares in above.items():
        nodes = np.flatnonzero(shares > LEAST_DIFFERENCE)
        left -= len(nodes)
        if left < 0:
            wishes.all_asked = False
            break
        found[s] = tuple(zip(nodes.tolist(), np.minimum(shares[nodes] / largest, 1.0).tolist(), strict=True))
    return found
