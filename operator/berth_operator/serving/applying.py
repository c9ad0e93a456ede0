"""Brings about what a service needs: applies what is missing, removes what is asked for no longer, and leaves alone what is others'.

Writes only what differs. A child is applied (server-side apply, one field manager, forced) when something that we ask for is not
there. When others take it away again and again, the pauses between our applies grow (`troubles`), instead of a fight.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import msgspec

from berth_api.llm_service import LLMService
from berth_api.reasons import Reason
from berth_cluster.connection import ApiError, Connection
from berth_cluster.reflector import Place
from berth_operator.serving.autoscaling import is_owned_by, replicas_of
from berth_operator.serving.children import Manifest
from berth_operator.serving.drift import missing
from berth_operator.serving.handover import keep_replicas
from berth_operator.serving.names import FIELD_MANAGER
from berth_operator.serving.status import Refusal
from berth_operator.serving.troubles import ChildKey, Troubles
from berth_operator.serving.view import OPTIONAL, OWNED, Owned

NEVER_A_VERSION = "1"
"""With this resourceVersion an apply makes what is not there and is refused (409) where something is: no object ever has the
version of the empty store. Seen on 1.37."""
REMOVABLE = frozenset(("ScaledObject", "HorizontalPodAutoscaler", "InferencePool"))
"""What goes when it is asked for no longer; all else is asked for as long as there is the service."""
_PATHS = OWNED | OPTIONAL
_NOT_FOUND, _CONFLICT = 404, 409
_REASONS = {403: Reason.ADMISSION_REFUSED, 422: Reason.ADMISSION_REFUSED, 404: Reason.NAMESPACE_GOES}

logger = logging.getLogger(__name__)


class _ExistsError(Exception):
    """What was to be made is there."""


class Applier:
    """For all services; each is brought about by one caller at a time."""

    def __init__(self, connection: Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._troubles = Troubles(clock)
        self.writes = 0
        """Requests that changed, or were to change, something."""

    async def bring_about(
        self, service: LLMService, children: list[Manifest], owned: Mapping[ChildKey, Owned]
    ) -> Refusal | None:
        """What stands in the way, the first of it; None when all is there or on its way. Raises ApiError without an answer."""
        refusal = await self._remove_unasked(service, children, owned)
        place = (service.metadata.namespace, service.metadata.name)
        return await self._apply_missing(place, children, owned) or refusal

    def refusal(self, place: Place, key: ChildKey) -> Refusal | None:
        """What the API server said of a child last, if it did not take it."""
        return self._troubles.refusal(place, key)

    def due(self, place: Place) -> list[float]:
        """Times at which something of the service may be tried again."""
        return self._troubles.due(place)

    def forget(self, place: Place) -> None:
        self._troubles.forget(place)

    async def _remove_unasked(
        self, service: LLMService, children: list[Manifest], owned: Mapping[ChildKey, Owned]
    ) -> Refusal | None:
        """Only what is the service's own: KEDA gives its HorizontalPodAutoscaler our labels. Before anything is applied, for KEDA
        refuses a ScaledObject while another autoscaler has the Deployment."""
        asked = {(child["kind"], child["metadata"]["name"]) for child in children}
        place = (service.metadata.namespace, service.metadata.name)
        leaving = {
            key: standing
            for key, standing in owned.items()
            if key[0] in REMOVABLE
            and key not in asked
            and standing.metadata.deletion_timestamp is None
            and is_owned_by(standing, service.metadata.uid)
        }
        self._troubles.forget(place, but=asked | leaving.keys())
        refusal = None
        for key, standing in leaving.items():
            trouble = self._troubles.in_the_way(place, key, None)
            if trouble is not None:
                refusal = refusal or trouble.refusal
                continue
            refused = await self._remove(service, key, standing)
            self._troubles.again(place, key, refused, "its removal", None)
            refusal = refusal or refused
        return refusal

    async def _remove(self, service: LLMService, key: ChildKey, standing: Owned) -> Refusal | None:
        root, plural = _PATHS[key[0]].rsplit("/", 1)
        self.writes += 1
        try:
            await self._connection.request(
                "DELETE",
                f"{root}/namespaces/{service.metadata.namespace}/{plural}/{key[1]}",
                body={"preconditions": {"uid": standing.metadata.uid}},
            )
        except ApiError as error:
            if error.status == 0:
                raise
            if error.status not in (_NOT_FOUND, _CONFLICT):  # gone, or another one already: the watch tells
                return Refusal(Reason.API_ERROR, f"{key[0]} {key[1]} cannot be removed: {error.message}")
        return None

    async def _apply_missing(
        self, place: Place, children: list[Manifest], owned: Mapping[ChildKey, Owned]
    ) -> Refusal | None:
        refusal = None
        for child in children:
            key: ChildKey = (child["kind"], child["metadata"]["name"])
            standing = owned.get(key)
            lacks = "the whole" if standing is None else missing(child, {**_type_of(child), **standing.body()})
            if lacks is None:
                self._troubles.calm(place, key)
                continue
            trouble = self._troubles.in_the_way(place, key, child)
            if trouble is not None:
                refusal = refusal or trouble.refusal
                continue
            if standing is None:
                refused = await self._create(child)
            else:
                refused = await self._apply(child, replicas_of(standing) if key[0] == "Deployment" else None)
            self._troubles.again(place, key, refused, lacks, child)
            refusal = refusal or refused
        return refusal

    async def _create(self, child: Manifest) -> Refusal | None:
        """Somebody else's object of that name is left alone: whoever may make services must not get at it through us."""
        only_new = {**child, "metadata": {**child["metadata"], "resourceVersion": NEVER_A_VERSION}}
        try:
            return await self._apply(only_new)
        except _ExistsError:
            pass
        try:
            body = await self._connection.request("GET", path_of(child))
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None  # it has gone meanwhile, and is made at the next look
            raise
        standing = msgspec.json.decode(body, type=Owned)
        if is_owned_by(standing, child["metadata"]["ownerReferences"][0]["uid"]):
            return await self._apply(*unseen(child, standing))  # the watch lags, or our label was taken away
        kind, name = child["kind"], child["metadata"]["name"]
        return Refusal(
            Reason.NAME_TAKEN, f"there is a {kind} {name} of somebody else; give the service another name, or remove it"
        )

    async def _apply(self, child: Manifest, replicas: int | None = None) -> Refusal | None:
        """replicas: of a Deployment that stands."""
        meta = child["metadata"]
        self.writes += 1
        try:
            if replicas is not None and "replicas" not in child["spec"]:
                await keep_replicas(self._connection, path_of(child), child, replicas)
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
            if error.status == _CONFLICT and "resourceVersion" in meta:
                raise _ExistsError from error
            reason = (
                Reason.QUOTA_EXCEEDED
                if "exceeded quota" in error.message
                else _REASONS.get(error.status, Reason.API_ERROR)
            )
            logger.warning("%s %s/%s: %s", child["kind"], meta["namespace"], meta["name"], error)
            return Refusal(reason, f"{child['kind']} {meta['name']} was refused: {error.message}")
        return None


def unseen(child: Manifest, standing: Owned) -> tuple[Manifest, int | None]:
    """What to apply to one of ours that the watch does not show: all but the number of replicas, which was decided as if there were
    none. It is put right, if need be, once the watch shows it."""
    if child["kind"] != "Deployment":
        return child, None
    spec = {key: value for key, value in child["spec"].items() if key != "replicas"}
    return {**child, "spec": spec}, replicas_of(standing)


def path_of(child: Manifest) -> str:
    meta = child["metadata"]
    root, plural = _PATHS[child["kind"]].rsplit("/", 1)
    return f"{root}/namespaces/{meta['namespace']}/{plural}/{meta['name']}"


def _type_of(child: Manifest) -> dict[str, str]:
    return {"apiVersion": child["apiVersion"], "kind": child["kind"]}
