"""What is true of a service, from what its pods show. Pure.

`Ready` is True only when as many pods as asked for, all of this generation's template, say that they are ready (which engines
say once the weights are loaded and a token was produced) and are among the endpoints. Whatever keeps it from that is told by the
reason, the most telling one first: what the API server refused, what went wrong in a pod, why a pod waits for a node, and only
then that something is still under way.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from berth_api.llm_service import (
    HintStatus,
    LastFailure,
    LLMService,
    LLMServiceStatus,
    ModelStatus,
    NodeReplicas,
    ScalingEvent,
    WaitingReplica,
)
from berth_api.reasons import Reason
from berth_api.resource import Condition, with_condition
from berth_operator.serving.failures import Failure, failure_of
from berth_operator.serving.fetched import fetched_by
from berth_operator.serving.names import FETCH_CONTAINER, REVISION_LABEL, selector
from berth_operator.serving.seen import SeenPod

MAX_LISTED = 20
"""Waiting pods and nodes that the status lists."""
HISTORY = 5

FETCH_CODES = frozenset(
    (
        Reason.CACHE_UNUSABLE,
        Reason.DIGEST_MISMATCH,
        Reason.FILE_CORRUPT,
        Reason.MODEL_NOT_FOUND,
        Reason.SOURCE_UNSUPPORTED,
        Reason.CREDENTIALS_REFUSED,
        Reason.SOURCE_UNREACHABLE,
        Reason.SOURCE_CHANGED,
        Reason.DISK_FULL,
        Reason.MANIFEST_MISSING,
        Reason.MANIFEST_INVALID,
    )
)


Verdict = tuple[Literal["True", "False", "Unknown"], str, str]
"""Status, reason and message of a condition."""


class Refusal(msgspec.Struct, frozen=True):
    """The API server did not take what the service needs."""

    reason: str
    message: str


class Observed(msgspec.Struct, frozen=True):
    """All that the status is made from."""

    service: LLMService
    desired: int
    revision: str
    pods: Sequence[SeenPod]
    routed: Collection[str]
    refusal: Refusal | None = None
    autoscaling: Verdict = ("False", Reason.NOT_CONFIGURED, "")
    """Of AutoscalingActive."""
    pool: Verdict | None = None
    """Of InferencePoolAccepted; None: no pool is asked for, and nothing is said."""
    hint: Verdict = ("Unknown", Reason.NO_HINT, "")
    """Of HintUnderstood."""
    wishes: HintStatus | None = None
    is_paused: bool = False
    """Somebody has paused the Deployment: a change of the template waits."""
    silent_nodes: Collection[str] = ()
    """Of the pods' nodes those that do not answer."""
    moving: str = ""
    """Which replica a plan moves; `moving.py`."""


def status_of(seen: Observed, now: datetime) -> LLMServiceStatus:
    """Equal to what stands when nothing has changed."""
    service, before = seen.service, seen.service.status
    alive = [pod for pod in seen.pods if not pod.leaves and not pod.has_ended]
    current = [pod for pod in alive if pod.label(REVISION_LABEL) == seen.revision]
    serving = [pod for pod in current if pod.ready and pod.name in seen.routed]
    failures = [failure for pod in alive if (failure := failure_of(pod)) is not None]
    waiting = [pod for pod in alive if not pod.scheduled]
    mine = [failure for failure in failures if failure.pod in {pod.name for pod in current}]
    model = _fetched(current) or _still_known(service)
    conditions = [one for one in before.conditions if one.type != "InferencePoolAccepted" or seen.pool is not None]
    for type_, (status, reason, message) in {
        "Ready": _ready(seen, alive, current, serving, mine or failures, waiting),
        "ModelResolved": _model(service, model, mine),
        "Scheduled": _scheduled(alive, waiting, seen.desired),
        "Progressing": _progressing(seen, alive, current, serving, failures),
        "Draining": _draining(seen.pods),
        "AutoscalingActive": seen.autoscaling,
        "HintUnderstood": seen.hint,
        **({} if seen.pool is None else {"InferencePoolAccepted": seen.pool}),
    }.items():
        new = Condition(
            type=type_, status=status, reason=reason, message=message, last_transition_time=now,
            observed_generation=service.metadata.generation,
        )  # fmt: skip
        conditions = with_condition(conditions, new)
    newest = max(failures, key=lambda failure: (failure.at is not None, failure.at or now), default=None)
    return LLMServiceStatus(
        observed_generation=service.metadata.generation,
        conditions=conditions,
        replicas=len(alive),
        desired_replicas=seen.desired,
        ready_replicas=len(serving),
        selector=",".join(f"{key}={value}" for key, value in selector(service.metadata.name).items()),
        nodes=_nodes(alive, serving),
        url=f"http://{service.metadata.name}.{service.metadata.namespace}.svc/v1",
        model=model,
        hint=seen.wishes,
        waiting=[_waiting(pod) for pod in waiting[:MAX_LISTED]],
        last_failure=_last_failure(newest, before.last_failure, now),
        scaling_history=_history(before.scaling_history, seen.desired, now),
    )


def _ready(
    seen: Observed,
    alive: Sequence[SeenPod],
    current: Sequence[SeenPod],
    serving: Sequence[SeenPod],
    failures: Sequence[Failure],
    waiting: Sequence[SeenPod],
) -> Verdict:
    service = seen.service
    if service.spec.suspend:
        return "False", Reason.SUSPENDED, "spec.suspend is set; take it away to serve"
    if seen.desired == 0:
        return "False", Reason.SCALED_TO_ZERO, "no replica is asked for"
    count = f"{len(serving)} of {seen.desired} replicas answer"
    others = sum(pod.ready for pod in alive) - sum(pod.ready for pod in current)
    if others:
        count += f"; {others} of an earlier generation still do"
    if len(serving) >= seen.desired:
        return "True", Reason.ANSWERING, count
    if seen.refusal is not None:
        return "False", seen.refusal.reason, f"{count}: {seen.refusal.message}"
    if failures:
        return "False", failures[0].reason, f"{count}. Pod {failures[0].pod}: {failures[0].message}"
    if waiting:
        told = _waiting(waiting[0])
        return "False", told.code, f"{count}. Pod {told.pod} waits: {told.message}"
    lost = next((pod for pod in current if pod.node in seen.silent_nodes), None)
    if lost is not None:
        return "False", Reason.NODE_LOST, f"{count}. Pod {lost.name} is on node {lost.node}, which does not answer"
    silent = next((pod for pod in current if pod.stopped_answering), None)
    if silent is not None:
        message = f"{count}. Pod {silent.name} was ready and has stopped answering; see its log"
        return "False", Reason.NOT_ANSWERING, message
    if any(pod.ready and pod.name not in seen.routed for pod in current):
        return "False", Reason.NOT_ROUTED, f"{count}; the rest is ready but not among the endpoints yet"
    if len(current) < len(alive) or len(current) < seen.desired:
        if seen.is_paused:
            return "False", Reason.PAUSED, f"{count}; {_how_to_resume(service)}"
        return "False", Reason.ROLLING_OUT, f"{count}; pods of this generation are on their way"
    fetching = sum(_is_fetching(pod) for pod in current)
    if fetching:
        return "False", Reason.FETCHING, f"{count}; {fetching} still fetch the weights"
    return "False", Reason.LOADING, f"{count}; the others load the weights"


def _model(service: LLMService, model: ModelStatus | None, failures: Sequence[Failure]) -> Verdict:
    failed = next((failure for failure in failures if failure.reason in FETCH_CODES), None)
    if failed is not None:
        return "False", failed.reason, failed.message
    asked = service.spec.model
    if asked.uri.startswith("path://"):
        return "True", Reason.IN_IMAGE, "the weights are in the engine's image"
    if asked.uri.startswith("pvc://") and asked.digest is None:
        message = "served as they lie on the claim, whatever that is; give spec.model.digest to have them checked"
        return "Unknown", Reason.NOT_VERIFIED, message
    if model is not None:
        return "True", Reason.VERIFIED, model.digest
    return "Unknown", Reason.FETCHING, "no pod of this generation has fetched the weights yet"


def _scheduled(alive: Sequence[SeenPod], waiting: Sequence[SeenPod], desired: int) -> Verdict:
    if waiting:
        told = _waiting(waiting[0])
        more = f" ({len(waiting)} pods wait)" if len(waiting) > 1 else ""
        return "False", told.code, f"pod {told.pod}: {told.message}{more}"
    if len(alive) < desired:
        return "Unknown", Reason.ROLLING_OUT, f"{len(alive)} of {desired} pods exist"
    return "True", Reason.PLACED, f"{len(alive)} pods have nodes" if alive else "no pod is asked for"


def _progressing(
    seen: Observed,
    alive: Sequence[SeenPod],
    current: Sequence[SeenPod],
    serving: Sequence[SeenPod],
    failures: Sequence[Failure],
) -> Verdict:
    if seen.refusal is not None:  # also while what stands answers
        return "False", seen.refusal.reason, seen.refusal.message
    if len(current) == len(alive) and len(serving) >= seen.desired:
        return ("True", Reason.MOVING, seen.moving) if seen.moving else ("False", Reason.DONE, "")
    old = len(alive) - len(current)
    message = f"{len(serving)} of {seen.desired} replicas of generation {seen.service.metadata.generation} answer"
    message += f", {old} of earlier ones are to be replaced" if old else ""
    if seen.is_paused:
        return "False", Reason.PAUSED, f"{message}; {_how_to_resume(seen.service)}"
    if failures:
        return "False", Reason.STALLED, f"{message}; {failures[0].reason}: {failures[0].message}"
    return "True", Reason.ROLLING_OUT, message


def _how_to_resume(service: LLMService) -> str:
    meta = service.metadata
    return f"its Deployment is paused: kubectl rollout resume deployment/{meta.name} -n {meta.namespace}"


def _draining(pods: Iterable[SeenPod]) -> Verdict:
    leaving = [pod.name for pod in pods if pod.leaves and not pod.has_ended]
    if leaving:
        return "True", Reason.DRAINING, f"{', '.join(leaving[:3])} finish what they have begun"
    return "False", Reason.DONE, ""


def _waiting(pod: SeenPod) -> WaitingReplica:
    """In the words of `berth why`, where the planning loop has written them; else in the scheduler's."""
    why, said = pod.why, pod.unscheduled
    if why is not None:
        return WaitingReplica(pod=pod.name, code=why.code, message=why.message, plan=why.plan, position=why.position)
    if said is not None:
        return WaitingReplica(pod=pod.name, code=said.reason or Reason.UNSCHEDULABLE, message=said.message)
    return WaitingReplica(pod=pod.name, code=Reason.NOT_ASKED_YET, message="the scheduler has not looked at it yet")


def _nodes(alive: Sequence[SeenPod], serving: Sequence[SeenPod]) -> list[NodeReplicas]:
    ready = {pod.name for pod in serving}
    names = sorted({pod.node for pod in alive if pod.node})
    return [
        NodeReplicas(
            name=node,
            replicas=sum(pod.node == node for pod in alive),
            ready=sum(pod.node == node and pod.name in ready for pod in alive),
        )
        for node in names[:MAX_LISTED]
    ]


def _fetched(current: Iterable[SeenPod]) -> ModelStatus | None:
    return next((found for pod in current if (found := fetched_by(pod)) is not None), None)


def _still_known(service: LLMService) -> ModelStatus | None:
    """What an earlier pod has verified, as long as that is what is asked for: without a digest, until anything of it changes."""
    before = service.status
    if before.model is None or service.spec.model.digest is not None:
        return before.model if before.model is not None and before.model.digest == service.spec.model.digest else None
    return before.model if before.observed_generation == service.metadata.generation else None


def _is_fetching(pod: SeenPod) -> bool:
    return any(
        container.name == FETCH_CONTAINER and container.state.running is not None
        for container in pod.status.init_container_statuses or ()
    )


def _last_failure(failure: Failure | None, before: LastFailure | None, now: datetime) -> LastFailure | None:
    """The newest, or what stands; one whose time nobody told keeps the time at which it was seen first."""
    if failure is None:
        return before
    told = LastFailure(
        reason=failure.reason,
        message=failure.message,
        exit_code=failure.exit_code,
        time=failure.at or now,
        pod=failure.pod,
    )
    if failure.at is None and before is not None and told.model_copy(update={"time": before.time}) == before:
        return before
    return told


def _history(before: Sequence[ScalingEvent], desired: int, now: datetime) -> list[ScalingEvent]:
    if before and before[-1].to == desired:
        return list(before)
    came_from = before[-1].to if before else 0
    return [*before, ScalingEvent(time=now, from_=came_from, to=desired)][-HISTORY:]
