"""LLMServices and their replicas, by two small watches of their own: the services, and pods that carry a service's label.

The operator's own view of services knows more and belongs to it; this one is for looking, and works with a reader's rights. Both
kinds may be missing or forbidden: then there are no services to show.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from berth_api.annotations import SERVICE_LABEL
from berth_api.llm_service import LLMService
from berth_api.resource import find_condition
from berth_cluster.connection import Connection
from berth_cluster.custom_objects import WireCustom, read_custom
from berth_cluster.objects import Wire
from berth_cluster.outage import Outage
from berth_cluster.reflector import Collection, Place, Reflector
from berth_cluster.watching import Pace
from berth_ui.plan_views import moment
from berth_ui.wire import Replica, ServiceCondition, ServiceView

SERVICES_PATH = "/apis/berth.dev/v1alpha1/llmservices"
ENGINE = "engine"
"""Name of the container that answers."""


class _Waiting(Wire, frozen=True):
    reason: str = ""
    message: str = ""


class _Terminated(Wire, frozen=True):
    exit_code: int = 0
    reason: str = ""


class _State(Wire, frozen=True):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class _Container(Wire, frozen=True):
    name: str = ""
    ready: bool = False
    state: _State = _State()


class _Condition(Wire, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""


class _Port(Wire, frozen=True):
    name: str = ""
    container_port: int = 0


class _ContainerSpec(Wire, frozen=True):
    name: str = ""
    ports: tuple[_Port, ...] | None = None


class _Spec(Wire, frozen=True):
    node_name: str = ""
    containers: tuple[_ContainerSpec, ...] = ()


class _Status(Wire, frozen=True):
    phase: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: tuple[_Condition, ...] | None = None
    container_statuses: tuple[_Container, ...] | None = None
    init_container_statuses: tuple[_Container, ...] | None = None


class _Meta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    resource_version: str | None = None
    labels: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class ReplicaPod(Wire, frozen=True):
    """A pod of a service, as far as its readiness goes."""

    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def is_ready(self) -> bool:
        return any(c.type == "Ready" and c.status == "True" for c in self.status.conditions or ())

    @property
    def trouble(self) -> str:
        """Why it is not ready, as a code; empty when it is."""
        if self.is_ready:
            return ""
        if self.metadata.deletion_timestamp:
            return "Leaving"
        if not self.spec.node_name:
            found = next((c.reason for c in self.status.conditions or () if c.type == "PodScheduled" and c.reason), "")
            return found or "Waiting"
        for container in (*(self.status.init_container_statuses or ()), *(self.status.container_statuses or ())):
            state = container.state
            if state.waiting is not None and state.waiting.reason and state.waiting.reason != "PodInitializing":
                return state.waiting.reason
            if state.terminated is not None and state.terminated.exit_code:
                return state.terminated.reason or "Error"
        return "Loading"


class ServiceWatch:
    """Run it; ask it."""

    def __init__(self, connection: Connection, pace: Pace = Pace()) -> None:  # noqa: B008 (a frozen value)
        self.wake: Callable[[], None] = lambda: None
        """Called when something has changed."""
        self.restarts: Counter[str] = Counter()
        self._services: dict[Place, LLMService] = {}
        self._pods: dict[Place, ReplicaPod] = {}
        self._by_service: dict[Place, dict[str, ReplicaPod]] = defaultdict(dict)
        self._changed: set[Place] = set()
        outage = Outage(time.monotonic)
        self._reflectors = [
            Reflector(connection, collection, store, self.restarts, pace, outage=outage)
            for collection, store in (
                (Collection(SERVICES_PATH, WireCustom, optional=True), _Services(self._services, self._tell)),
                (Collection("/api/v1/pods", ReplicaPod, optional=True, labels=SERVICE_LABEL), self),
            )
        ]

    @property
    def synced(self) -> bool:
        return all(reflector.synced.is_set() for reflector in self._reflectors)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for reflector in self._reflectors:
                group.create_task(reflector.run(), name=f"watch {reflector.collection.path}")

    def views(self) -> Sequence[ServiceView]:
        return [service_view(s, self._by_service.get(place, {}).values()) for place, s in self._services.items()]

    def metrics_of(self, namespace: str, pod: str) -> str:
        """Where a replica that is ready tells of itself: port and path; empty when it cannot be asked."""
        known = self._pods.get((namespace, pod))
        if known is None or not known.is_ready:
            return ""
        service = self._services.get((namespace, (known.metadata.labels or {}).get(SERVICE_LABEL, "")))
        ports = [p for c in known.spec.containers if c.name == ENGINE for p in c.ports or () if p.name == "http"]
        if service is None or not ports:
            return ""
        return f"{ports[0].container_port}{service.spec.engine.metrics_path or '/metrics'}"

    def collect(self) -> frozenset[str]:
        """namespace/name of services that changed since the last time."""
        changed, self._changed = self._changed, set()
        return frozenset(f"{namespace}/{name}" for namespace, name in changed)

    # A store of pods

    def put(self, wire: ReplicaPod) -> None:
        place = (wire.metadata.namespace or "", wire.metadata.name)
        self.remove(place)
        self._pods[place] = wire
        service = (place[0], (wire.metadata.labels or {}).get(SERVICE_LABEL, ""))
        self._by_service[service][place[1]] = wire
        self._tell(service)

    def remove(self, place: Place) -> None:
        known = self._pods.pop(place, None)
        if known is None:
            return
        service = (place[0], (known.metadata.labels or {}).get(SERVICE_LABEL, ""))
        del self._by_service[service][place[1]]
        if not self._by_service[service]:
            del self._by_service[service]
        self._tell(service)

    def places(self) -> Sequence[Place]:
        return list(self._pods)

    def _tell(self, service: Place) -> None:
        self._changed.add(service)
        self.wake()


class _Services:
    def __init__(self, services: dict[Place, LLMService], tell: Callable[[Place], None]) -> None:
        self._services = services
        self._tell = tell

    def put(self, wire: WireCustom) -> None:
        place = (wire.metadata.namespace or "", wire.metadata.name)
        self._services[place] = read_custom(wire, LLMService)
        self._tell(place)

    def remove(self, place: Place) -> None:
        if self._services.pop(place, None) is not None:
            self._tell(place)

    def places(self) -> Sequence[Place]:
        return list(self._services)


def service_view(service: LLMService, pods: Iterable[ReplicaPod]) -> ServiceView:
    status, spec = service.status, service.spec
    ready = find_condition(status.conditions, "Ready")
    namespace = service.metadata.namespace
    told: Mapping[str, str] = {waiting.pod: waiting.code for waiting in status.waiting}
    return ServiceView(
        namespace=namespace,
        name=service.metadata.name,
        model=spec.model.uri,
        priority_class=spec.priority or "",
        desired=status.desired_replicas,
        ready=status.ready_replicas,
        is_ready=ready is not None and ready.status == "True",
        reason=ready.reason if ready is not None else "NoWordYet",
        message=ready.message if ready is not None else "the operator has not looked at it yet",
        hint=spec.placement.hint or "",
        conditions=[
            ServiceCondition(
                type=c.type, status=c.status, reason=c.reason, message=c.message, since=moment(c.last_transition_time)
            )
            for c in status.conditions
        ],
        replicas=[
            _replica(pod, told.get(pod.metadata.name, "")) for pod in sorted(pods, key=lambda pod: pod.metadata.name)
        ],
    )


def _replica(pod: ReplicaPod, told: str) -> Replica:
    """Its figures are asked for when somebody looks (`engine_figures`)."""
    return Replica(
        pod=pod.metadata.name,
        node=pod.spec.node_name,
        ready=pod.is_ready,
        reason=told or pod.trouble,
        running=None,
        queued=None,
        ttft_seconds=None,
        kv_use=None,
    )
