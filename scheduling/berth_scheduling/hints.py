"""Hints in the request path: what a pod's text wishes, how nodes compare by it, and which an enforced wish rules out.

The rows of `places` are those of `room`. A pod without a hint costs nothing here. Hints only order nodes that kube-scheduler
offers; they never bring one in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from berth_api.annotations import MODEL_LABEL
from berth_api.reasons import Reason
from berth_cluster.matching import node_matches
from berth_cluster.snapshot import Node, Pod, PodSpec
from berth_intent.enforcing import meets
from berth_intent.facts import NodeFacts, node_facts
from berth_intent.parser import parse
from berth_intent.places import Places, Rows, Shares
from berth_intent.present import Present
from berth_intent.reasons import reason
from berth_intent.scoring import Keys, keys
from berth_intent.sentences import phrase
from berth_intent.terms import Reading
from berth_intent.understood import Preference
from berth_scheduling.company import Company, siblings_of
from berth_scheduling.node_figures import NodeFigures
from berth_scheduling.policies import Policies
from berth_scheduling.room import Room
from berth_scheduling.understanding import Parse, Understanding

MAX_REASONS = 64
"""Of one filter answer; nodes beyond get the sentence without what they have instead."""
NO_DEVICES = frozenset(("cpu", "memory", "ephemeral-storage", "pods"))
SCARCE = ("cpu", "memory")
"""Resources that load is measured by, besides GPUs."""


class Hints:
    def __init__(self, room: Room, policies: Policies, clock: Callable[[], float], read: Parse = parse) -> None:
        self._room = room
        self._policies = policies
        self.places = Places()
        self.company = Company(self.places)
        self.understanding = Understanding(
            self.places, self.company.names, lambda: self.company.names_changed, clock, read
        )
        self._matching = NodeFigures(room, 0.0)
        self._labels: Mapping[str, tuple[str, ...]] = {}

    def reading(self, pod: Pod) -> Reading | None:
        """None: it wishes nothing that counts."""
        if not pod.hint:
            return None
        found = self.understanding.of(pod.hint, self._policies.hint_terms(pod))
        return found if found.counting else None

    def keys(self, pod: Pod, reading: Reading, rows: Rows, plain: Sequence[Shares]) -> Keys:
        """int64 [rows], higher is better. plain: shares [rows] of the pod's native preferences."""
        self.places.reach(self._room.size)
        return keys(reading.counting, self.places, self.present(pod), rows, plain=plain)

    def ruled_out(self, pod: Pod, names: Sequence[str], rows: Rows) -> dict[str, str]:
        """Nodes that a wish which is enforced rules out, each with why. A node that is not known is not judged."""
        reading = self.reading(pod)
        if reading is None or not reading.enforced:
            return {}
        self.places.reach(self._room.size)
        present, could = self.present(pod), self._could(pod)
        known = self.places.known(rows)
        out: dict[str, str] = {}
        for preference in reading.enforced:
            met = meets(preference, self.places, present, rows, could)
            for i in np.flatnonzero(known & ~met).tolist():
                if names[i] not in out:
                    detailed = len(out) < MAX_REASONS
                    why = reason(preference, self.places, present, int(rows[i]), could) if detailed else ""
                    out[names[i]] = _sentence(preference, why)
        return out

    def present(self, pod: Pod) -> Present:
        """Who stands where, for a pod that stands nowhere yet."""
        request = self._room.vector(pod.spec.requests)
        asked = np.flatnonzero(request)

        def fits(rows: Rows) -> Shares:
            if not len(asked):
                return np.full(len(rows), np.inf)
            where = np.ix_(rows, asked)
            free = np.maximum(self._room.free[where] - self._room.assumed[where], 0)
            pods: Shares = (free // request[asked]).min(axis=1).astype(np.float64)
            return pods

        return Present(
            self.company.own(siblings_of(pod)),
            lambda name: self.company.others(pod.namespace, name),
            self._load,
            fits,
            self.company.missing(pod),
            model_of(pod.spec),
            asks_for_devices(pod.spec),
        )

    def node_changed(self, row: int, node: Node | None) -> None:
        """The node of a row; None: it has none any more."""
        self.places.reach(row + 1)
        facts = facts_of(node, self._labels) if node is not None else None
        self.places.put(row, facts)

    def policies_changed(self) -> None:
        """Other labels may tell facts now, and other wishes count."""
        labels = self._policies.hint_labels()
        if labels == self._labels:
            return
        self._labels = labels
        for row, node in enumerate(self._room.nodes):
            if node is not None:
                self.node_changed(row, node)

    def _load(self, rows: Rows) -> Shares:
        """The largest share of cpu, memory or GPUs that pods on the node ask for, approved ones included."""
        scarce = [c for name, c in self._room.columns.items() if name in SCARCE or name.endswith("/gpu")]
        columns = np.array(scarce, np.int64)
        where = np.ix_(rows, columns)
        allocatable = self._room.allocatable[where]
        used = allocatable - self._room.free[where] + self._room.assumed[where]
        shares = np.divide(used, allocatable, out=np.zeros(used.shape), where=allocatable > 0)
        most: Shares = shares.max(axis=1, initial=0.0)
        return most

    def _could(self, pod: Pod) -> Rows:
        """Nodes that the pod could have if they were empty."""
        spec = pod.spec
        kept = self._matching.under((spec.node_selector, spec.node_affinity, spec.tolerations, spec.volume_nodes))
        if self._room.relabelled_at > kept.tick:
            for row in np.flatnonzero(self._room.relabelled > kept.tick).tolist():
                node = self._room.nodes[row]
                kept.figures[row] = float(node is not None and node_matches(spec, node) is None)
            kept.tick = self._room.tick
        large_enough = (self._room.allocatable >= self._room.vector(spec.requests)).all(axis=1)
        return np.flatnonzero(large_enough & (kept.figures > 0))


def _sentence(preference: Preference, why: str) -> str:
    said = f"{Reason.HINT_ENFORCED}: the hint's strong wish is enforced here: {phrase(preference)}"
    return f"{said}; {why}" if why else said


def facts_of(node: Node, labels: Mapping[str, tuple[str, ...]]) -> NodeFacts:
    """labels: keys that tell a fact instead of the usual ones."""
    return node_facts(node.name, node.labels, node.amounts, labels, [model for model, _ in node.models])


def spoken_of(node: Node) -> tuple[object, ...]:
    """What the facts of a node are made from: other facts only where this differs."""
    return node.labels, node.allocatable, node.models


def model_of(spec: PodSpec) -> str:
    """That the pod serves; empty where its labels do not tell."""
    return next((value for key, value in spec.labels if key == MODEL_LABEL), "")


def asks_for_devices(spec: PodSpec) -> bool:
    """GPUs, other devices, hugepages: whatever not every node has."""
    return any(amount and name not in NO_DEVICES for name, amount in spec.requests)
