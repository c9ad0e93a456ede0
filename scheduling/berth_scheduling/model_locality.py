"""Where a pod's model lies already: what decides between nodes that wishes and packing find equal.

A node that holds the model saves the pod its download. That is worth less than what anybody said, and less than room for others:
so it comes last, and it needs no hint. The wish `prefer_cached_model` says the same first.
"""

from __future__ import annotations

from berth_cluster.snapshot import Node, PodSpec
from berth_scheduling.hints import model_of


class HoldsModel:
    """As a wish of `ranking`, but below 0 where it is met: where no node holds the model there is nothing to compare."""

    def key(self, spec: PodSpec) -> object | None:
        return model_of(spec) or None

    def cost(self, spec: PodSpec, node: Node) -> float:
        model = model_of(spec)
        return -float(any(name == model for name, _ in node.models))
