"""Whether a pod may be moved, and what moving it costs.

Movable: a controller recreates it and nothing says otherwise. A DaemonSet's pod belongs to its node, a mirror pod to its
kubelet, a bare pod comes back never. A Job's pod is movable only when the Job is known to ignore evictions; pods of other
controllers that run to completion (restartPolicy other than Always) are treated as a Job's without such a promise.

Cost: `berth.dev/move-cost`, a whole number from 0, says it outright. Otherwise `pod-deletion-cost` is read as what it is,
an order and no amount: positive c costs 1 + the digits of c in base two (1 to 2, 100 to 8, 2^31-1 to 32), all else costs
1; a negative one means "rather this than its siblings", never that an eviction is free.
"""

from __future__ import annotations

from berth_api.reasons import Reason
from berth_cluster.objects import OwnerReference
from berth_cluster.owners import Owners
from berth_cluster.pod_objects import PodAnnotations

DEFAULT_MOVE_COST = 1
MAX_MOVE_COST = 1_000_000
"""Costs add up over thousands of pods and must stay exact."""

_CONTROLLERS_OF_SERVICES = {"ReplicaSet", "ReplicationController", "StatefulSet", "Deployment"}


def immovable_reasons(
    annotations: PodAnnotations,
    namespace: str,
    owner: OwnerReference | None,
    owners: Owners,
    restart_policy: str,
    terminating: bool,
) -> tuple[Reason, ...]:
    """Everything that forbids moving the pod, in a fixed order; empty when it is movable."""
    found = []
    if annotations.mirror is not None or (owner is not None and owner.kind == "Node"):
        found.append(Reason.MIRROR_POD)
    elif owner is None:
        found.append(Reason.NO_CONTROLLER)
    elif owner.kind == "DaemonSet":
        found.append(Reason.DAEMON_SET)
    elif owner.kind == "Job":
        if not owners.job_recreates(namespace, owner):
            found.append(Reason.JOB_WITHOUT_POLICY)
    elif owner.kind not in _CONTROLLERS_OF_SERVICES and restart_policy != "Always":
        found.append(Reason.JOB_WITHOUT_POLICY)
    if (
        _is_set(annotations.do_not_move)
        or _is_set(annotations.do_not_disrupt)
        or (annotations.safe_to_evict or "").lower() == "false"
    ):
        found.append(Reason.DO_NOT_MOVE)
    if terminating:
        found.append(Reason.TERMINATING)
    return tuple(found)


def move_cost(annotations: PodAnnotations) -> tuple[int, str | None]:
    """The cost, and the complaint about an annotation that could not be read."""
    if annotations.move_cost is not None:
        cost = _whole(annotations.move_cost)
        if cost is None or cost < 0:
            return DEFAULT_MOVE_COST, "berth.dev/move-cost is not a whole number from 0; counted as 1"
        if cost > MAX_MOVE_COST:
            return MAX_MOVE_COST, f"berth.dev/move-cost is above {MAX_MOVE_COST}; counted as that"
        return cost, None
    if annotations.deletion_cost is not None:
        cost = _whole(annotations.deletion_cost)
        if cost is None:
            return DEFAULT_MOVE_COST, "controller.kubernetes.io/pod-deletion-cost is not a whole number; ignored"
        return 1 + (max(cost, 0)).bit_length(), None
    return DEFAULT_MOVE_COST, None


def _is_set(annotation: str | None) -> bool:
    """Present and not `false`: karpenter also takes durations, during which the pod must not move either."""
    return annotation is not None and annotation.lower() != "false"


def _whole(text: str) -> int | None:
    digits = text[1:] if text[:1] in "+-" else text
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) <= 12 else None
