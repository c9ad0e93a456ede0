"""A cluster at a glance, for the terminal: the views that the page draws."""

from __future__ import annotations

from berth_cluster.snapshot import Snapshot
from berth_ui.fragments import fragments
from berth_ui.picture import paint, painted_of
from berth_ui.wire import Fragments, NodeView, Tier, Wire


class Top(Wire, frozen=True):
    nodes: list[NodeView]
    tiers: list[Tier]
    fragments: Fragments


def top_of(snapshot: Snapshot, zone: str | None = None) -> Top:
    """zone: its nodes only, and their pods."""
    painted = paint(snapshot)
    if zone is not None:
        nodes = {name: node for name, node in painted.nodes.items() if node.zone == zone}
        painted = painted_of(nodes, {uid: pod for uid, pod in painted.pods.items() if pod.node in nodes})
    room = fragments(painted.nodes.values(), painted.pods.values(), 0)
    return Top(nodes=list(painted.nodes.values()), tiers=painted.tiers, fragments=room)
