"""Why a pod waits, or what it takes to place it: the values that `why` answers with."""

from __future__ import annotations

from typing import Literal

import msgspec

from berth_api.reasons import Reason
from berth_cluster.snapshot import WorkloadKey

RemedyKind = Literal[
    "more-members",
    "uncordon",
    "node-ready",
    "fewer",
    "one-more-node",
    "node-selector",
    "toleration",
    "more-moves",
    "hint",
]


class NodeReason(msgspec.Struct, frozen=True):
    """`nodes` nodes cannot take the pod for this reason; a node short of several resources counts for each."""

    reason: Reason
    nodes: int
    resource: str = ""


class Remedy(msgspec.Struct, frozen=True):
    """One change that would let the pod in, by itself. `message` completes "It would fit ..."."""

    kind: RemedyKind
    message: str
    node: str = ""
    """A node to change, or whose like to add."""
    resource: str = ""
    amount: int = 0
    """Fewer: how much less of the resource. One more node: how many nodes. More moves: how many moves."""


class WishVerdict(msgspec.Struct, frozen=True):
    """One wish of a hint, on one node."""

    wish: str
    """In a few words."""
    strength: float
    satisfaction: float
    """0 to 1."""
    reason: str
    """One short sentence with what is there."""


class HintVerdict(msgspec.Struct, frozen=True):
    """What a hint was taken for, and what becomes of it where the plan places its pod."""

    hint: str
    wishes: tuple[str, ...]
    """Those that count, each in a few words."""
    aside: tuple[str, ...] = ()
    """What was not understood of it, as it stands there, and wishes that do not count."""
    node: str = ""
    """Where the plan places the pod; empty for one that is left waiting."""
    verdicts: tuple[WishVerdict, ...] = ()
    """Of that node, in the order of `wishes`, the others standing where the plan leaves them."""

    @property
    def sentence(self) -> str:
        if not self.node:
            return ""
        met = sum(v.satisfaction >= 1.0 for v in self.verdicts)
        unmet = [
            f'"{v.wish}" is met to {v.satisfaction:.0%}: {v.reason}' for v in self.verdicts if v.satisfaction < 1.0
        ]
        if not self.verdicts:
            return "its hint wishes nothing that counts"
        return f"of its hint {met} of {len(self.verdicts)} wishes are met on {self.node}" + "".join(
            f"; {each}" for each in unmet
        )


class Explanation(msgspec.Struct, frozen=True):
    """Pods that the scheduler cannot tell apart, all in the same position."""

    workloads: tuple[WorkloadKey, ...]
    """Their owners, in the order of their oldest pods."""
    pods: tuple[str, ...]
    """namespace/name, oldest first."""
    priority: int
    requests: tuple[tuple[str, int], ...]
    code: Reason
    message: str
    """One plain sentence: where it goes, or why it cannot and what is proven about that."""
    nodes: int
    """Nodes in the cluster."""
    reasons: tuple[NodeReason, ...] = ()
    """What stands against each node: now, for pods that the plan places; once the plan is done, for those left waiting."""
    proven: bool = True
    """The code follows from a proof or from a placement at hand; False: time ran out, or it was not looked into."""
    targets: tuple[str, ...] = ()
    """Nodes where the plan places them, as `pods`."""
    wave: int | None = None
    """The last wave that one of them waits for, counted from 1."""
    moves: int | None = None
    """Running pods that have to move for it: in those waves, or in the placement that was found for it alone."""
    evictions: int | None = None
    """Running pods that would lose their place for it."""
    remedies: tuple[Remedy, ...] = ()
    """What would help, the smallest change first."""
    hint: HintVerdict | None = None
    """Of the first of the pods, which all have the same; None without a hint that counts."""

    @property
    def workload(self) -> WorkloadKey:
        return self.workloads[0]

    @property
    def smallest_change(self) -> str:
        """One plain sentence, or nothing where no single change helps."""
        return f"It would fit {self.remedies[0].message}." if self.remedies else ""

    @property
    def available(self) -> str:
        """As kube-scheduler says it: 0/5 nodes are available: 3 InsufficientResource nvidia.com/gpu, 2 UntoleratedTaint."""
        rejected = ", ".join(f"{r.nodes} {r.reason}{' ' + r.resource if r.resource else ''}" for r in self.reasons)
        return f"0/{self.nodes} nodes are available: {rejected}" if rejected else ""
