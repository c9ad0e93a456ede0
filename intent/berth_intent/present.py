"""The present placement, as scoring looks at it for one pod: who stands where, how loaded nodes are, what still fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from berth_intent.counts import Counts
from berth_intent.places import Places, Rows, Shares


def nobody(name: str) -> tuple[Counts, ...]:
    """No workload runs."""
    return ()


@dataclass(frozen=True)
class Present:
    """Of one pod that is to be placed, or that is judged where it stands: it is never counted itself."""

    own: Counts
    """The other pods of its workload."""
    others: Callable[[str], tuple[Counts, ...]] = nobody
    """Pods of the workloads of a name."""
    load: Callable[[Rows], Shares] | None = None
    """The largest share of a resource that pods on the node ask for, 0 to 1; None: not known."""
    fits: Callable[[Rows], Shares] | None = None
    """How many pods such as this one the node has room for; None: not known."""
    missing: int = 1
    """How many pods of its workload wait for a node, itself among them."""
    model: str = ""
    """The model that it serves, where that is known."""
    devices: bool = True
    """It asks for GPUs or the like: nodes left whole are worth more than siblings kept apart."""

    @classmethod
    def empty(cls, places: Places) -> Present:
        """Nothing runs anywhere."""
        return cls(Counts(places))
