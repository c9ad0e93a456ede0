"""One service: what it needs, what of it is missing, what its status should say. Level-triggered: it remembers nothing that it
could not see again, so a restart in the middle goes on.

Writes only what differs. A child is applied (server-side apply, one field manager, forced) when something that we ask for is not
there. When others take it away again and again, the pauses between our applies grow, and the service says so, instead of a fight.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from berth_api.annotations import WAKE
from berth_api.llm_service import LLMService, LLMServiceStatus
from berth_api.reasons import Reason
from berth_cluster.connection import ApiError, Connection
from berth_cluster.reflector import Place
from berth_operator.serving.children import Manifest, Room, build_children
from berth_operator.serving.drift import missing
from berth_operator.serving.hint import hint_status
from berth_operator.serving.moving import Plans, moves_of, unmarked
from berth_operator.serving.names import FIELD_MANAGER, REVISION_LABEL
from berth_operator.serving.pod_template import Images, build_pod_template
from berth_operator.serving.seen import SeenPod
from berth_operator.serving.status import Observed, Refusal, status_of
from berth_operator.serving.view import OPTIONAL, OWNED, SERVICES_PATH, Owned, ServingView

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds between two applies of a child that somebody keeps changing, or that is refused."""
CALM = 600.0
"""Seconds without trouble after which pauses begin anew."""
_PATHS = OWNED | OPTIONAL
_NOT_FOUND = 404
_REASONS = {403: Reason.ADMISSION_REFUSED, 422: Reason.ADMISSION_REFUSED, 404: Reason.NAMESPACE_GOES}

logger = logging.getLogger(__name__)

ChildKey = tuple[str, str]
"""Kind and name."""


class _Trouble(msgspec.Struct):
    """With one child of one service."""

    pause: float
    until: float
    refusal: Refusal | None
    """None while it may be that the watch only lags behind what was applied."""
    asked: Manifest
    """What was applied, or was to be."""


class Reconciler:
    """`reconcile` one service at a time a service; different services may go side by side."""

    def __init__(
        self,
        connection: Connection,
        view: ServingView,
        room: Callable[[LLMService, list[str]], bool],
        images: Images = Images(),  # noqa: B008 (a frozen value)
        *,
        plans: Plans = dict,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._view = view
        self._room = room
        self._images = images
        self._plans = plans
        self._clock = clock
        self._now = now
        self._trouble: dict[tuple[Place, ChildKey], _Trouble] = {}
        self.writes = 0
        """Requests that changed, or were to change, something."""

    async def reconcile(self, place: Place) -> float | None:
        """Seconds after which it should be looked at again, whatever happens; None when nothing hangs on time."""
        service = self._view.services.get(place)
        if service is None or service.metadata.deletion_timestamp is not None:
            for key in [key for key in self._trouble if key[0] == place]:
                del self._trouble[key]
            return None
        desired, changes = desired_replicas(service, self._now())
        owned = self._view.owned(place)
        template = build_pod_template(service, self._images)
        revision = template["metadata"]["labels"][REVISION_LABEL]
        room = self._room_now(service, owned, revision, desired)
        moves = moves_of(self._view.pods(place), desired, revision, self._view.routed(place), self._plans)
        children = build_children(service, desired + moves.extra, template, room)
        refusal = await self._apply_missing(place, children, owned)
        if moves.void and _replicas(owned, service.metadata.name) in (None, desired + moves.extra):
            for pod in moves.void:
                await self._take_mark_off(pod)
        hint, wishes = hint_status(service.spec.placement.hint)
        seen = Observed(
            service,
            desired,
            revision,
            self._view.pods(place),
            self._view.routed(place),
            refusal or _quota_refusal(owned),
            _autoscaling(service),
            hint,
            wishes,
            moves.told,
        )
        await self._write_status(service, status_of(seen, self._now()))
        waits = [trouble.until for (of, _), trouble in self._trouble.items() if of == place]
        due = [wait - self._clock() for wait in waits] + ([] if changes is None else [changes])
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

    async def _apply_missing(
        self, place: Place, children: list[Manifest], owned: Mapping[ChildKey, Owned]
    ) -> Refusal | None:
        refusal = None
        for child in children:
            key: ChildKey = (child["kind"], child["metadata"]["name"])
            standing = owned.get(key)
            lacks = "the whole" if standing is None else missing(child, {**_type_of(child), **standing.body()})
            if lacks is None:
                self._calm(place, key)
                continue
            trouble = self._trouble.get((place, key))
            if trouble is not None and trouble.asked != child:
                del self._trouble[place, key]  # nobody took it away: something else is asked for by now
                trouble = None
            if trouble is not None and self._clock() < trouble.until:
                refusal = refusal or trouble.refusal
                continue
            refused = await self._taken(child) if standing is None else None
            refused = refused or await self._apply(child)
            self._again(place, key, refused, lacks, child)
            refusal = refusal or refused
        return refusal

    async def _taken(self, child: Manifest) -> Refusal | None:
        """Somebody else's object of that name is left alone: whoever may make services must not get at it through us."""
        try:
            body = await self._connection.request("GET", path_of(child))
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        standing = msgspec.json.decode(body, type=Owned)
        owner = child["metadata"]["ownerReferences"][0]["uid"]
        if any(reference.get("uid") == owner for reference in standing.metadata.owner_references or ()):
            return None
        kind, name = child["kind"], child["metadata"]["name"]
        return Refusal(
            Reason.NAME_TAKEN, f"there is a {kind} {name} of somebody else; give the service another name, or remove it"
        )

    async def _apply(self, child: Manifest) -> Refusal | None:
        meta = child["metadata"]
        self.writes += 1
        try:
            await self._connection.request(
                "PATCH",
                path_of(child),
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=child,
                content_type="application/apply-patch+yaml",
            )
        except ApiError as error:
            if error.status == 0:
                raise
            reason = (
                Reason.QUOTA_EXCEEDED
                if "exceeded quota" in error.message
                else _REASONS.get(error.status, Reason.API_ERROR)
            )
            logger.warning("%s %s/%s: %s", child["kind"], meta["namespace"], meta["name"], error)
            return Refusal(reason, f"{child['kind']} {meta['name']} was refused: {error.message}")
        return None

    async def _write_status(self, service: LLMService, status: LLMServiceStatus) -> None:
        if status == service.status:
            return
        self.writes += 1
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

    async def _take_mark_off(self, pod: SeenPod) -> None:
        """Of a plan that has ended."""
        self.writes += 1
        meta = pod.metadata
        try:
            await self._connection.request(
                "PATCH",
                f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}",
                body={"metadata": {"uid": meta.uid, "annotations": unmarked(pod)}},
                content_type="application/merge-patch+json",
            )
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    def _again(self, place: Place, key: ChildKey, refused: Refusal | None, lacks: str, asked: Manifest) -> None:
        """Not before a while. The first time costs nothing: the watch shows what was applied long before the pause ends."""
        before = self._trouble.get((place, key))
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        if refused is None and before is not None:
            message = f"{key[0]} {key[1]} is changed by somebody else: {lacks} does not stay as asked"
            refused = Refusal(Reason.CHILD_CONTENDED, message)
        self._trouble[place, key] = _Trouble(pause, self._clock() + pause, refused, asked)

    def _calm(self, place: Place, key: ChildKey) -> None:
        trouble = self._trouble.get((place, key))
        if trouble is not None and (trouble.pause == FIRST_PAUSE or self._clock() - trouble.until > CALM):
            del self._trouble[place, key]


def desired_replicas(service: LLMService, now: datetime) -> tuple[int, float | None]:
    """How many there should be, and in how many seconds that changes by itself.

    One that may sleep (`autoscaling.min: 0`) is awake as long as it was asked for lately; the gateway says when that was.
    """
    spec = service.spec
    if spec.suspend:
        return 0, None
    if spec.autoscaling is None:
        return (1 if spec.replicas is None else spec.replicas), None
    if spec.autoscaling.min:
        return spec.autoscaling.min, None
    asked = _last_asked(service)
    down = spec.autoscaling.stabilization_seconds.down
    left = -1.0 if asked is None else min(down - (now - asked).total_seconds(), down)
    return (1, left) if left > 0 else (0, None)


def _replicas(owned: Mapping[ChildKey, Owned], name: str) -> int | None:
    """That its Deployment was asked for, as seen."""
    standing = owned.get(("Deployment", name))
    found = None if standing is None else standing.body()["spec"].get("replicas")
    return found if isinstance(found, int) else None


def _last_asked(service: LLMService) -> datetime | None:
    """Whoever may write annotations may write anything there; a time that is none counts for nothing."""
    try:
        asked = datetime.fromisoformat(service.metadata.annotations.get(WAKE, ""))
    except ValueError:
        return None
    return asked if asked.tzinfo is not None else None


def _autoscaling(service: LLMService) -> tuple[bool, str, str]:
    asked = service.spec.autoscaling
    if asked is None:
        return False, Reason.NOT_CONFIGURED, "spec.autoscaling is not set"
    if asked.min == 0:
        seconds = asked.stabilization_seconds.down
        message = (
            f"it sleeps {seconds} s after the last request through the gateway, and one replica wakes for the next"
        )
        return True, Reason.SCALING_BY_LOAD, f"{message}; this version adds no more by load"
    message = f"this version adds no replicas by load: {asked.min} run; set spec.replicas, or scale another way"
    return False, Reason.AUTOSCALER_MISSING, message


def whole(status: LLMServiceStatus) -> dict[str, Any]:
    """As a merge patch: what is absent is taken away."""
    return {**dict.fromkeys(_optional(status)), **status.to_json()}


def _optional(status: LLMServiceStatus) -> list[str]:
    return [field.alias or name for name, field in type(status).model_fields.items() if getattr(status, name) is None]


def path_of(child: Manifest) -> str:
    meta = child["metadata"]
    root, plural = _PATHS[child["kind"]].rsplit("/", 1)
    return f"{root}/namespaces/{meta['namespace']}/{plural}/{meta['name']}"


def _type_of(child: Manifest) -> dict[str, str]:
    return {"apiVersion": child["apiVersion"], "kind": child["kind"]}


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
