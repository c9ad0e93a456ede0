"""Whether a change in the cluster may let a waiting pod in that had no place before.

A pod that was judged is not judged again while nothing that matters has changed. What can matter is room that came free or
into service, pods that became movable or less important, and disruption budgets that allow more; a pod that was bound,
came or began to end only takes room. Cost: a few comparisons a change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from berth_cluster.snapshot import DisruptionBudget, Node, Pod


def node_may_help(old: Node | None, new: Node | None) -> bool:
    """A node came, came back, grew, or took other labels or taints."""
    if new is None:
        return False
    if old is None:
        return True
    if (new.ready and not old.ready) or (old.unschedulable and not new.unschedulable):
        return True
    if old.labels != new.labels or old.taints != new.taints:
        return True
    if old.allocatable == new.allocatable:
        return False
    before = old.amounts
    return any(amount > before.get(name, 0) for name, amount in new.allocatable)


def pod_may_help(old: Pod | None, new: Pod | None) -> bool:
    """A pod has gone, or became movable, cheaper to move, less important or smaller; or one that waits wishes otherwise."""
    if old is None:
        return False
    if new is None:
        return True
    if old.uid != new.uid:
        return True
    if new.node is None:
        return new.hint != old.hint
    return (
        new.priority < old.priority
        or new.move_cost < old.move_cost
        or (new.spec is not old.spec and new.spec != old.spec)
        or not set(old.immovable) <= set(new.immovable)
    )


def budgets_may_help(
    before: Mapping[tuple[str, str], int], budgets: Iterable[DisruptionBudget]
) -> tuple[bool, dict[tuple[str, str], int]]:
    """Whether some budget allows more than `before` (or is gone), and what they allow now."""
    now = {(b.namespace, b.name): b.disruptions_allowed for b in budgets}
    helps = any(key not in now or now[key] > allowed for key, allowed in before.items())
    return helps, now
