"""Pods of other schedulers that carry our annotations: their wishes are ignored, and one Event an owner says so."""

from __future__ import annotations

from berth_api.annotations import SCHEDULER
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, WorkloadKey
from berth_operator.events import Events, about_pod

MAX_OWNERS = 10_000
"""Remembered; beyond that an owner may be told again after a restart or not at all."""


class UnsteeredHints:
    def __init__(self, events: Events) -> None:
        self._events = events
        self._told: set[WorkloadKey] = set()

    def look_at(self, pod: Pod) -> None:
        if not pod.hint or pod.scheduler == SCHEDULER or pod.workload in self._told or len(self._told) >= MAX_OWNERS:
            return
        self._told.add(pod.workload)
        self._events.tell(about_pod(pod), Reason.HINT_IGNORED, sentence(pod), warning=True, once=True)


def sentence(pod: Pod) -> str:
    """The same for every pod of an owner."""
    kind, name = pod.workload.kind, pod.workload.name
    adopt = f"kubectl berth adopt {kind.lower()}/{name} -n {pod.namespace}" if kind != "Pod" else "a new pod"
    return (
        f"{kind} {name} has an allocation hint, but its scheduler is {pod.scheduler}, which does not read it: "
        f"set schedulerName to {SCHEDULER} ({adopt})"
    )
