"""Pods without a node that no plan looks at, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_planner.packing import Packing
from berth_planner.shapes import BERTH_SCHEDULER, Movable

Wanted = Callable[[Pod], bool]


def outside(packing: Packing, movable: Movable, wanted: Wanted) -> Iterable[tuple[Sequence[Pod], Reason, str]]:
    """Pods of one workload and spec with the reason that they share, and a sentence about the first."""
    arriving = {pod.key for pod in packing.arriving}
    groups: dict[tuple[object, ...], list[Pod]] = defaultdict(list)
    for pod in packing.snapshot.pods:
        if pod.node is None and wanted(pod):
            found = _reason(pod, movable, pod.key in arriving)
            if found is not None:
                groups[pod.workload, id(pod.spec), *found].append(pod)
    for (*_, reason, text), pods in groups.items():
        assert isinstance(reason, Reason)
        yield pods, reason, f"{pods[0].key} {text}"


def _reason(pod: Pod, movable: Movable, arriving: bool) -> tuple[Reason, str] | None:
    if pod.terminating:
        return Reason.TERMINATING, "is being deleted"
    if pod.gated:
        return Reason.GATED, "has scheduling gates: it waits for whoever set them"
    if movable == "berth" and pod.scheduler != BERTH_SCHEDULER:
        return Reason.OTHER_SCHEDULER, f"belongs to the scheduler {pod.scheduler}"
    if arriving:
        where = pod.nominated_node
        return Reason.NOMINATED, f"waits for pods that are ending on {where}, where kube-scheduler has made room for it"
    if pod.spec.unmodelled:
        return Reason.UNKNOWN_FEATURE, f"asks for what Berth does not model: {'; '.join(pod.spec.unmodelled)}"
    return None
