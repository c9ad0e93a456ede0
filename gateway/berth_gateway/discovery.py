"""Whom there is: the LLMServices of a namespace and the pods that answer for them, kept by two watches.

A model's name is what its service says; of two services with one name the older is asked, and the other is told of in the log.
Only pods that their Service routes to are asked, so that the gateway never knows better than the cluster who is ready.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from berth_api.annotations import SERVICE_LABEL, WAKE
from berth_api.llm_service import LLMService
from berth_cluster.connection import ApiError, Connection
from berth_cluster.custom_objects import WireCustom, read_custom
from berth_cluster.endpoints import EndpointSlice
from berth_cluster.reflector import Collection, Place, Reflector
from berth_gateway.replicas import Model, Models

WAKE_SECONDS = 5.0
"""A service that sleeps is not asked to wake again within this time."""
AWAKE_SECONDS = 30.0
"""One that answers is told this often that it is still asked, so that it does not fall asleep."""

logger = logging.getLogger(__name__)


class Discovery:
    """Of one namespace, into `models`. `run` it."""

    def __init__(
        self, connection: Connection, namespace: str, models: Models, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._path = f"/apis/berth.dev/v1alpha1/namespaces/{namespace}/llmservices"
        self._models = models
        self._clock = clock
        self._services: dict[str, LLMService] = {}
        self._slices: dict[str, EndpointSlice] = {}
        self._woken: dict[str, float] = {}
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        restarts: Counter[str] = Counter()
        self._reflectors: list[Reflector[Any]] = [
            Reflector(connection, Collection(self._path, WireCustom, optional=True), _Kept(self._services, self._service, self._changed), restarts),
            Reflector(connection, Collection(slices, EndpointSlice, labels=SERVICE_LABEL), _Kept(self._slices, lambda one: one, self._changed), restarts),
        ]  # fmt: skip

    @property
    def synced(self) -> bool:
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors:
                group.create_task(reflector.run(), name=f"watch {reflector.collection.path}")

    async def wake(self, service: str, sleeps: bool) -> None:
        """Ask for a service's pods, or that they stay, by an annotation that the operator reads; only where it may sleep."""
        known, now = self._services.get(service), self._clock()
        if known is None or not _may_sleep(known):
            return
        if now - self._woken.get(service, float("-inf")) < (WAKE_SECONDS if sleeps else AWAKE_SECONDS):
            return
        self._woken[service] = now
        body = {"metadata": {"annotations": {WAKE: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}}
        try:
            await self._connection.request(
                "PATCH", f"{self._path}/{service}", body=body, content_type="application/merge-patch+json"
            )
        except ApiError as error:
            logger.warning("%s could not be asked to wake: %s", service, error)

    @staticmethod
    def _service(wire: WireCustom) -> LLMService:
        return read_custom(wire, LLMService)

    def _changed(self) -> None:
        """What is known is small, so that all of it is put together anew."""
        addresses: dict[str, dict[str, str]] = {}
        for one in self._slices.values():
            of = (one.metadata.labels or {}).get(SERVICE_LABEL, "")
            if one.service == of:  # not the headless Service's, which lists pods ready or not
                addresses.setdefault(of, {}).update(one.addresses)
        found: dict[str, Model] = {}
        for name, service in sorted(
            self._services.items(), key=lambda item: (str(item[1].metadata.creation_timestamp), item[0])
        ):
            if service.model_name in found:
                logger.warning(
                    "%s is served by %s already; %s is left out",
                    service.model_name,
                    found[service.model_name].service,
                    name,
                )
                continue
            known = self._models.by_name.get(service.model_name)
            model = known if known is not None and known.service == name else Model(service.model_name, name)
            model.may_sleep = _may_sleep(service)
            model.update(addresses.get(name, {}))
            found[service.model_name] = model
        self._models.by_name = found


def _may_sleep(service: LLMService) -> bool:
    return service.spec.autoscaling is not None and service.spec.autoscaling.min == 0


class _Kept:
    """A store of one collection of one namespace, by name."""

    def __init__(self, objects: dict[str, Any], read: Callable[[Any], Any], changed: Callable[[], None]) -> None:
        self._objects = objects
        self._read = read
        self._changed = changed
        self._places: dict[str, Place] = {}

    def put(self, wire: Any) -> None:
        name = wire.metadata.name
        self._objects[name] = self._read(wire)
        self._places[name] = (wire.metadata.namespace or "", name)
        self._changed()

    def remove(self, place: Place) -> None:
        self._places.pop(place[1], None)
        if self._objects.pop(place[1], None) is not None:
            self._changed()

    def places(self) -> list[Place]:
        return list(self._places.values())
