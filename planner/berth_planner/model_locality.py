"""Where pods' models lie, as a judge of places for new pods: among equals, a node that holds the model already.

A new pod there saves a download, in proportion to the model's bytes. That counts only when everything else is settled (who is
placed, how little is moved) and where nobody who is placed has a wish of another kind, hint or node affinity; `pleasing` does
the rest, by moving no pod more. Where no node tells of models nothing of this happens.

Cost: one pass over what nodes tell; 40 KB a model at 5,000 nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np

from berth_cluster.snapshot import Node, Pod
from berth_planner.pleasing import Shares
from berth_scheduling.hints import model_of


class ModelLocality:
    """Of the nodes of one snapshot. What others do changes nothing of it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        largest = max((size for node in nodes for _, size in node.models), default=0)
        self._nowhere: Shares = np.zeros(len(nodes))
        self._saved: dict[str, Shares] = {}
        for number, node in enumerate(nodes):
            for model, size in node.models:
                self._saved.setdefault(model, np.zeros(len(nodes)))[number] = max(size, 1) / max(largest, 1)

    def kind(self, pod: Pod) -> Hashable | None:
        model = model_of(pod.spec)
        return model if model in self._saved else None

    def minded_by(self, pod: Pod) -> Collection[Hashable]:
        return ()

    def opinion(self, pod: Pod) -> Shares:
        return self._saved.get(model_of(pod.spec), self._nowhere)

    def worth(self, pod: Pod, node: int) -> float:
        return float(self.opinion(pod)[node])

    def stand(self, pod: Pod, node: int) -> None: ...

    def leave(self, pod: Pod, node: int) -> None: ...
