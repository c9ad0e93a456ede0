"""`LLMService.status`: what is true of a service. Written by the leader, on change only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from berth_api.resource import ApiModel, Condition

MAX_LISTED = 1_000
SCALINGS_KEPT = 5

Sentence = Annotated[str, Field(max_length=1_024)]


class ServiceCondition(StrEnum):
    """Condition types of a service."""

    READY = "Ready"
    MODEL_RESOLVED = "ModelResolved"
    SCHEDULED = "Scheduled"
    PROGRESSING = "Progressing"
    DRAINING = "Draining"
    AUTOSCALING_ACTIVE = "AutoscalingActive"
    HINT_UNDERSTOOD = "HintUnderstood"
    INFERENCE_POOL_ACCEPTED = "InferencePoolAccepted"


class NodeReplicas(ApiModel):
    """Replicas on one node."""

    name: str = Field(max_length=253)
    """The node."""
    replicas: int = 0
    """How many are there."""
    ready: int = 0
    """How many of them answer."""


class ModelStatus(ApiModel):
    """The weights as they were found."""

    digest: str = Field(default="", max_length=71)
    """Of the manifest; put it into spec.model.digest to serve these bytes and no others."""
    bytes: int = 0
    """Size of all files."""


class HintStatus(ApiModel):
    """What spec.placement.hint came to."""

    understood: list[Sentence] = Field(default=[], max_length=64)
    """The wishes that count, one a line."""
    unparsed: list[Sentence] = Field(default=[], max_length=64)
    """The parts that do not count, and why."""


class WaitingReplica(ApiModel):
    """A pod without a node."""

    pod: str = Field(max_length=253)
    """The pod."""
    code: str = Field(max_length=128)
    """Why it waits, as a reason code."""
    message: str = Field(default="", max_length=1_024)
    """The same for people, as `berth why` says it."""
    plan: str | None = Field(default=None, max_length=253)
    """The PackingPlan that makes room for it."""
    position: int | None = None
    """Its wave in that plan, from 1."""


class LastFailure(ApiModel):
    """What last went wrong in a pod of the service; stays until the next failure."""

    reason: str = Field(max_length=128)
    """Reason code: OutOfMemory, DigestMismatch, ImagePullFailed ..."""
    message: str = Field(default="", max_length=2_048)
    """The same for people, with what the container said last."""
    exit_code: int | None = None
    """Of the container, if one ended."""
    time: datetime
    """When."""
    pod: str = Field(default="", max_length=253)
    """In which pod."""


class ScalingEvent(ApiModel):
    """A change of the number of replicas asked for."""

    time: datetime
    """When."""
    from_: int = Field(validation_alias="from", serialization_alias="from", description="Replicas before.")
    to: int
    """Replicas after."""


class LLMServiceStatus(ApiModel):
    """What is true of the service."""

    observed_generation: int = 0
    """Generation of the spec that this status speaks of."""
    conditions: list[Condition] = Field(
        default=[],
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    """Ready: as many replicas as asked for, all of this generation, have loaded the weights, answer, and get traffic. ModelResolved: the
    weights are found and verified. Scheduled: every replica has a node. Progressing: replicas are being replaced or added. Draining:
    replicas finish what they have begun. AutoscalingActive: load decides on the number. HintUnderstood: all of the hint counts.
    InferencePoolAccepted, where a pool is asked for: a gateway sends requests to it."""
    replicas: int = 0
    """Pods there are."""
    desired_replicas: int = 0
    """Pods asked for, by spec or load."""
    ready_replicas: int = 0
    """Pods of this generation that answer and get traffic."""
    selector: str = Field(default="", max_length=1_024)
    """Labels of the pods, for autoscalers."""
    nodes: list[NodeReplicas] = Field(default=[], max_length=MAX_LISTED)
    """Where the replicas are."""
    url: str = Field(default="", max_length=512)
    """Where the service answers within the cluster: the base URL of an OpenAI client."""
    model: ModelStatus | None = None
    """The weights as they were found."""
    hint: HintStatus | None = None
    """What the hint came to."""
    waiting: list[WaitingReplica] = Field(default=[], max_length=MAX_LISTED)
    """Pods without a node, and why."""
    last_failure: LastFailure | None = None
    """What last went wrong."""
    scaling_history: list[ScalingEvent] = Field(default=[], max_length=SCALINGS_KEPT)
    """The last changes of the number of replicas, oldest first."""
