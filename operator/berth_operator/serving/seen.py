"""What the pods of a service show, as far as its status tells of it. Decoded from the watch; about 15 microseconds a pod."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from berth_api.annotations import WHY, Why
from berth_cluster.objects import OwnerReference, Wire
from berth_operator.serving.names import ENGINE_CONTAINER
from berth_operator.telling import read_why

MAX_MESSAGE = 1_024
"""Characters of what a container said last that are kept."""


class _Waiting(Wire, frozen=True):
    reason: str = ""
    message: str = ""


class _Terminated(Wire, frozen=True):
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    signal: int = 0
    finished_at: datetime | None = None


class _Running(Wire, frozen=True):
    started_at: datetime | None = None


class _State(Wire, frozen=True):
    waiting: _Waiting | None = None
    running: _Running | None = None
    terminated: _Terminated | None = None


class ContainerStatus(Wire, frozen=True):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    state: _State = _State()
    last_state: _State = _State()

    @property
    def ended(self) -> _Terminated | None:
        """How it ended last, if it ever did."""
        return self.state.terminated or self.last_state.terminated


class _Condition(Wire, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class _PodMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    uid: str = ""
    resource_version: str | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class _PodSpec(Wire, frozen=True):
    node_name: str | None = None


class _PodStatus(Wire, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[_Condition, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")


class SeenPod(Wire, frozen=True):
    """A pod with what happened in it."""

    metadata: _PodMeta = _PodMeta()
    spec: _PodSpec = _PodSpec()
    status: _PodStatus = _PodStatus()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def node(self) -> str:
        return self.spec.node_name or ""

    @property
    def leaves(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def has_ended(self) -> bool:
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def ready(self) -> bool:
        return not self.leaves and self._holds("Ready")

    @property
    def stopped_answering(self) -> bool:
        """It was ready since its engine started last, and is no more."""
        unready = next((c for c in self.status.conditions or () if c.type == "Ready" and c.status == "False"), None)
        engine = next((c for c in self.status.container_statuses or () if c.name == ENGINE_CONTAINER), None)
        if self.leaves or unready is None or unready.last_transition_time is None or engine is None:
            return False
        running = engine.state.running
        # before its first readiness the condition dates from when the pod came, or from when the engine before ended
        return (
            running is not None and running.started_at is not None and unready.last_transition_time > running.started_at
        )

    @property
    def scheduled(self) -> bool:
        return bool(self.node)

    @property
    def why(self) -> Why | None:
        """Why it waits for a node, as the planning loop wrote it."""
        return read_why((self.metadata.annotations or {}).get(WHY, ""))

    @property
    def unscheduled(self) -> _Condition | None:
        """What the scheduler said of it, while it waits for a node."""
        return next((c for c in self.status.conditions or () if c.type == "PodScheduled" and c.status == "False"), None)

    @property
    def statuses(self) -> Iterable[ContainerStatus]:
        """In the order in which containers start."""
        yield from self.status.init_container_statuses or ()
        yield from self.status.container_statuses or ()

    def label(self, name: str) -> str:
        return (self.metadata.labels or {}).get(name, "")

    def _holds(self, condition: str) -> bool:
        return any(c.type == condition and c.status == "True" for c in self.status.conditions or ())
