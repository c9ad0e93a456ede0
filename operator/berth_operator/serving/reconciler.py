"""One service: what it needs, what of it is missing, what its status should say. Level-triggered: it remembers nothing that it
could not see again, so a restart in the middle goes on.

    what stands (view) -> how many, by whom (waking, autoscaling, moving) -> children -> applying -> status
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from berth_api.annotations import MOVE_COST
from berth_api.llm_service import LLMService, LLMServiceStatus
from berth_api.reasons import Reason
from berth_cluster.connection import ApiError, Connection
from berth_cluster.reflector import Place
from berth_operator.serving.applying import Applier
from berth_operator.serving.autoscaling import (
    Means,
    build_scaler,
    choose,
    replicas_asked,
    replicas_of,
    scaling_verdict,
)
from berth_operator.serving.children import Room, build_children
from berth_operator.serving.fetched import untold_move_costs
from berth_operator.serving.hint import hint_status
from berth_operator.serving.inference_pool import build_inference_pool, pool_verdict
from berth_operator.serving.moving import Plans, moves_of, unmarked
from berth_operator.serving.names import REVISION_LABEL
from berth_operator.serving.pod_template import Images, build_pod_template
from berth_operator.serving.seen import SeenPod
from berth_operator.serving.status import Observed, Refusal, Verdict, status_of
from berth_operator.serving.troubles import ChildKey
from berth_operator.serving.view import SERVICES_PATH, Owned, ServingView
from berth_operator.serving.waking import desired_replicas

SETTLED = 1.0
"""Seconds until a new service's first status is written: of many made at once, all get what they need first."""


class Reconciler:
    """`reconcile` one service at a time a service; different services may go side by side."""

    def __init__(
        self,
        connection: Connection,
        view: ServingView,
        room: Callable[[LLMService, list[str]], bool],
        images: Images = Images(),  # noqa: B008 (a frozen value)
        *,
        node_answers: Callable[[str], bool] = lambda _: True,
        prometheus_url: str = "",
        plans: Plans = dict,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._view = view
        self._room = room
        self._images = images
        self._node_answers = node_answers
        self._prometheus_url = prometheus_url
        self._plans = plans
        self._clock = clock
        self._now = now
        self._applier = Applier(connection, clock)
        self._own_writes = 0

    @property
    def writes(self) -> int:
        """Requests that changed, or were to change, something."""
        return self._own_writes + self._applier.writes

    async def reconcile(self, place: Place) -> float | None:
        """Seconds after which it should be looked at again, whatever happens; None when nothing hangs on time."""
        service = self._view.services.get(place)
        if service is None or service.metadata.deletion_timestamp is not None:
            self._applier.forget(place)
            return None
        decided, changes = desired_replicas(service, self._now())
        owned = self._view.owned(place)
        standing = replicas_of(owned.get(("Deployment", service.metadata.name)))
        means = self._means()
        choice = choose(service, means)
        works = scaling_verdict(service, choice, owned, asleep=False)[0] == "True"
        asked = replicas_asked(service, decided, choice.scaler, standing, works)
        asleep = asked == 0
        template = build_pod_template(service, self._images)
        revision = template["metadata"]["labels"][REVISION_LABEL]
        room = self._room_now(service, owned, revision, asked)
        pods = self._view.pods(place)
        has_pools = self._view.has_kind("InferencePool")
        scaler = build_scaler(service, choice.scaler, means, paused=asleep)
        moves = moves_of(pods, asked, revision, self._view.routed(place), self._plans)
        children = build_children(service, None if asked is None else asked + moves.extra, template, room)
        # one that is to rest does so before the last replica goes, one that is to act finds its Deployment
        children = [*scaler, *children] if asleep else [*children, *scaler]
        if has_pools:
            children += build_inference_pool(service)
        writes = self.writes
        refusal = await self._applier.bring_about(service, children, owned)
        if standing is None or asked is None or standing == asked + moves.extra:  # the spare has been asked to go
            for pod in moves.void:
                await self._annotate(pod, unmarked(pod))
        for pod, cost in untold_move_costs(service, pods):
            await self._annotate(pod, {MOVE_COST: cost})
        if self.writes > writes and refusal is None and not service.status.conditions:
            return SETTLED  # by then there is something to tell
        hint, wishes = hint_status(service.spec.placement.hint)
        name = service.metadata.name
        seen = Observed(
            service,
            (standing or 0) if asked is None else asked,
            revision,
            pods,
            self._view.routed(place),
            refusal or _quota_refusal(owned),
            scaling_verdict(
                service, choice, owned, asleep=asleep, refused=self._refused(place, (choice.scaler or "", name))
            ),
            pool_verdict(
                service, has_pools, owned.get(("InferencePool", name)), self._refused(place, ("InferencePool", name))
            ),
            hint,
            wishes,
            is_paused=_is_paused(owned.get(("Deployment", name))),
            silent_nodes={pod.node for pod in pods if pod.node and not self._node_answers(pod.node)},
            moving=moves.told,
        )
        await self._write_status(service, status_of(seen, self._now()))
        due = [at - self._clock() for at in self._applier.due(place)] + ([] if changes is None else [changes])
        return max(min(due), 0.05) if due else None

    def _room_now(
        self, service: LLMService, owned: Mapping[ChildKey, Owned], revision: str, desired: int | None
    ) -> Room:
        """For a rollout that begins; what stands while none does, or while one is under way. Where there is a pod more than asked
        for, one more has room: its own. So one that surges and is changed on the way goes on surging; in place, a pod that
        serves would have to leave for it."""
        standing = owned.get(("Deployment", service.metadata.name))
        surges = False
        if standing is not None:
            spec = standing.body()["spec"]
            surges = bool(spec["strategy"].get("rollingUpdate", {}).get("maxSurge"))
            if spec["template"]["metadata"]["labels"].get(REVISION_LABEL) != revision:
                pods = self._view.pods((service.metadata.namespace, service.metadata.name))
                alive = sum(not pod.leaves and not pod.has_ended for pod in pods)
                one_more = desired is not None and alive > desired
                surges = one_more or self._room(service, [pod.name for pod in pods])
        return Room(for_surge=surges, pod_monitors=self._view.has_kind("PodMonitor"))

    def _means(self) -> Means:
        return Means(
            keda=self._view.has_kind("ScaledObject"),
            prometheus_url=self._prometheus_url,
            autoscalers=self._view.has_kind("HorizontalPodAutoscaler"),
            custom_metrics=self._view.custom_metrics.served,
        )

    def _refused(self, place: Place, key: ChildKey) -> Verdict | None:
        """What the API server said of a child, if it did not take it."""
        refusal = self._applier.refusal(place, key)
        return None if refusal is None else ("False", refusal.reason, refusal.message)

    async def _write_status(self, service: LLMService, status: LLMServiceStatus) -> None:
        if status == service.status:
            return
        self._own_writes += 1
        meta = service.metadata
        try:
            await self._connection.request(
                "PATCH",
                f"{SERVICES_PATH.replace('/llmservices', '')}/namespaces/{meta.namespace}/llmservices/{meta.name}/status",
                body={"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version}, "status": whole(status)},
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status not in (404, 409):  # gone, or changed meanwhile: the watch tells, and it is looked at again
                raise

    async def _annotate(self, pod: SeenPod, annotations: Mapping[str, str | None]) -> None:
        self._own_writes += 1
        meta = pod.metadata
        try:
            await self._connection.request(
                "PATCH",
                f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}",
                body={"metadata": {"uid": meta.uid, "annotations": dict(annotations)}},
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise


def whole(status: LLMServiceStatus) -> dict[str, Any]:
    """As a merge patch: what is absent is taken away."""
    return {**dict.fromkeys(_optional(status)), **status.to_json()}


def _optional(status: LLMServiceStatus) -> list[str]:
    return [field.alias or name for name, field in type(status).model_fields.items() if getattr(status, name) is None]


def _is_paused(deployment: Owned | None) -> bool:
    return deployment is not None and bool(deployment.spec.get("paused"))


def _quota_refusal(owned: Mapping[ChildKey, Owned]) -> Refusal | None:
    """What the Deployment says of pods that it may not create."""
    for (kind, _), standing in owned.items():
        if kind != "Deployment":
            continue
        for condition in (standing.status or {}).get("conditions", ()):
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                message = str(condition.get("message", ""))
                reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in message else Reason.ADMISSION_REFUSED
                return Refusal(reason, message)
    return None
