"""What stands in the cluster of the services: they, what they own, and their pods, kept by watches of our labels only.

Everything is filed by service, so that one service is looked at without touching another. Objects that services own are kept as
they are, without managed fields (about 4 KB each); pods as `SeenPod`. One listener is called with the service's place
whenever something of it changed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from berth_api.annotations import SERVICE_LABEL
from berth_api.llm_service import LLMService
from berth_cluster.connection import Connection
from berth_cluster.custom_objects import WireCustom, read_custom
from berth_cluster.endpoints import EndpointSlice
from berth_cluster.objects import Wire
from berth_cluster.outage import Outage
from berth_cluster.reflector import Collection, Place, Reflector
from berth_cluster.watching import Pace
from berth_operator.serving.names import MANAGED_BY, OPERATOR, service_of
from berth_operator.serving.seen import SeenPod

SERVICES_PATH = "/apis/berth.dev/v1alpha1/llmservices"
OWNED = {
    "Deployment": "/apis/apps/v1/deployments",
    "Service": "/api/v1/services",
    "ServiceAccount": "/api/v1/serviceaccounts",
    "PodDisruptionBudget": "/apis/policy/v1/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/networkpolicies",
}
OPTIONAL = {"PodMonitor": "/apis/monitoring.coreos.com/v1/podmonitors"}
"""Where the cluster has them."""
SERVICE_NAME = "kubernetes.io/service-name"
"""On an EndpointSlice: whose it is."""
OURS = f"{MANAGED_BY}={OPERATOR},{SERVICE_LABEL}"

Changed = Callable[[Place], None]
T = TypeVar("T")


class _OwnedMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    uid: str = ""
    resource_version: str | None = None
    generation: int = 0
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[dict[str, Any]] | None = None


class Owned(Wire, frozen=True):
    """An object that a service owns, as it stands."""

    metadata: _OwnedMeta = _OwnedMeta()
    spec: Any = None
    status: Any = None

    def body(self) -> dict[str, Any]:
        """As a manifest, to be compared with what is asked for."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


class _Filed(Generic[T]):
    """Objects of one kind, by service and name; says which service changed."""

    def __init__(self, changed: Changed) -> None:
        self.by_service: dict[Place, dict[str, T]] = {}
        self._service: dict[Place, Place] = {}
        self._changed = changed

    def put(self, wire: T) -> None:
        meta: Any = wire.metadata  # type: ignore[attr-defined]
        namespace = meta.namespace or ""
        place, service = (namespace, meta.name), (namespace, service_of(meta.labels))
        before = self._service.get(place)
        if before is not None and before != service:
            self.remove(place)
        self._service[place] = service
        self.by_service.setdefault(service, {})[meta.name] = wire
        self._changed(service)

    def remove(self, place: Place) -> None:
        service = self._service.pop(place, None)
        if service is None:
            return
        filed = self.by_service[service]
        del filed[place[1]]
        if not filed:
            del self.by_service[service]
        self._changed(service)

    def places(self) -> Sequence[Place]:
        return list(self._service)

    def of(self, service: Place) -> Mapping[str, T]:
        return self.by_service.get(service, {})


class _Services:
    def __init__(self, changed: Changed) -> None:
        self.objects: dict[Place, LLMService] = {}
        self._changed = changed

    def put(self, wire: WireCustom) -> None:
        place = (wire.metadata.namespace or "", wire.metadata.name)
        self.objects[place] = read_custom(wire, LLMService)
        self._changed(place)

    def remove(self, place: Place) -> None:
        if self.objects.pop(place, None) is not None:
            self._changed(place)

    def places(self) -> Sequence[Place]:
        return list(self.objects)


class ServingView:
    """Run it; ask it what stands of one service."""

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace = Pace(),  # noqa: B008 (a frozen value)
    ) -> None:
        self.restarts: Counter[str] = Counter()
        self._clock = clock
        self._changed: Changed | None = None
        self._services = _Services(self._tell)
        self._pods: _Filed[SeenPod] = _Filed(self._tell)
        self._slices: _Filed[EndpointSlice] = _Filed(self._tell)
        self._owned: dict[str, _Filed[Owned]] = {kind: _Filed(self._tell) for kind in (*OWNED, *OPTIONAL)}
        outage = Outage(clock)

        def reflector(collection: Collection[Any], store: Any) -> Reflector[Any]:
            return Reflector(connection, collection, store, self.restarts, pace, clock, outage=outage)

        self._reflectors = [
            reflector(Collection(SERVICES_PATH, WireCustom, optional=True), self._services),
            reflector(Collection("/api/v1/pods", SeenPod, labels=SERVICE_LABEL), self._pods),
            reflector(
                Collection("/apis/discovery.k8s.io/v1/endpointslices", EndpointSlice, labels=SERVICE_LABEL),
                self._slices,
            ),
            *(
                reflector(Collection(path, Owned, optional=kind in OPTIONAL, labels=OURS), self._owned[kind])
                for kind, path in (OWNED | OPTIONAL).items()
            ),
        ]

    def listen(self, changed: Changed) -> None:
        """It is called with a service's place whenever something of the service has changed; one listener."""
        self._changed = changed

    def _tell(self, place: Place) -> None:
        if self._changed is not None:
            self._changed(place)

    @property
    def services(self) -> Mapping[Place, LLMService]:
        return self._services.objects

    @property
    def synced(self) -> bool:
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    def pods(self, service: Place) -> list[SeenPod]:
        """By name."""
        return [pod for _, pod in sorted(self._pods.of(service).items())]

    def owned(self, service: Place) -> dict[tuple[str, str], Owned]:
        """By kind and name."""
        return {(kind, name): owned for kind, filed in self._owned.items() for name, owned in filed.of(service).items()}

    def routed(self, service: Place) -> frozenset[str]:
        """Names of the pods that get traffic by the service's address. Not by the headless Service, which shows all pods as ready."""
        slices = self._slices.of(service).values()
        own = (one for one in slices if (one.metadata.labels or {}).get(SERVICE_NAME) == service[1])
        return frozenset(name for one in own for name in one.addresses)

    def has_kind(self, kind: str) -> bool:
        """Whether the cluster has an optional kind, as far as is known."""
        path = OPTIONAL[kind]
        return next(not r.is_absent for r in self._reflectors if r.collection.path == path)

    def staleness(self) -> float:
        """Seconds since the quietest required watch said anything."""
        return self._clock() - min(r.heard for r in self._reflectors if not r.collection.optional)

    async def run(self) -> None:
        """All watches, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors:
                group.create_task(reflector.run(), name=f"watch {reflector.collection.path}")

    async def wait_synced(self) -> None:
        await asyncio.gather(*(reflector.synced.wait() for reflector in self._reflectors))
