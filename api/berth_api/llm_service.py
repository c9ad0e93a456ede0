"""`LLMService`: a model that is served, from `kubectl apply` to pods that answer.

Twelve lines suffice (`manifests/samples/llmservice.yaml`); every other field has a default, filled in by the API server, so that
`kubectl get -o yaml` shows what holds. What the schema cannot say is refused by the rules in `llm_service_rules`. With neither
`replicas` nor `autoscaling` there is one replica: a default for `replicas` would contradict every `autoscaling`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from berth_api.llm_service_engine import Engine, EngineKind, EnvironmentVariable
from berth_api.llm_service_model import Cache, Model, SecretRef
from berth_api.llm_service_placement import Parallelism, Placement, Resources
from berth_api.llm_service_pod_template import PodTemplate
from berth_api.llm_service_pool import EndpointPicker, InferencePool
from berth_api.llm_service_scaling import MAX_REPLICAS, Autoscaling, Metric, RequestPriority, StabilizationSeconds
from berth_api.llm_service_status import (
    HintStatus,
    LastFailure,
    LLMServiceStatus,
    ModelStatus,
    NodeReplicas,
    ScalingEvent,
    ServiceCondition,
    WaitingReplica,
)
from berth_api.resource import ApiModel, Resource

__all__ = [
    "Autoscaling",
    "Cache",
    "EndpointPicker",
    "Engine",
    "EngineKind",
    "EnvironmentVariable",
    "HintStatus",
    "InferencePool",
    "LLMService",
    "LLMServiceSpec",
    "LLMServiceStatus",
    "LastFailure",
    "Metric",
    "Model",
    "ModelStatus",
    "NodeReplicas",
    "Parallelism",
    "Placement",
    "RequestPriority",
    "Resources",
    "Rollout",
    "ScalingEvent",
    "SecretRef",
    "ServiceCondition",
    "StabilizationSeconds",
    "WaitingReplica",
]


class Rollout(StrEnum):
    """How replicas are replaced, always one at a time."""

    AUTO = "Auto"
    IN_PLACE = "InPlace"
    SURGE = "Surge"


class LLMServiceSpec(ApiModel):
    """What is served, by what, on what, and how urgent it is."""

    model: Model
    """Which weights are served."""
    priority: str | None = Field(default=None, min_length=1, max_length=253)
    """Name of a PriorityClass: of the pods, and so of their weight in every plan. The cluster's default class unless given."""
    request_priority: RequestPriority = RequestPriority()
    """Which priorities clients may ask for within the engine."""
    replicas: int | None = Field(default=None, ge=0, le=MAX_REPLICAS)
    """How many replicas there are; 1 with neither this nor autoscaling. `kubectl scale` writes it."""
    autoscaling: Autoscaling | None = None
    """Replicas by load, in the place of `replicas`."""
    resources: Resources = Resources()
    """What one replica needs."""
    parallelism: Parallelism = Parallelism()
    """How one replica is spread over its GPUs."""
    placement: Placement = Placement()
    """Where the replicas should be."""
    engine: Engine = Engine()
    """The program that serves."""
    drain_seconds: int = Field(default=60, ge=0, le=3_600)
    """How long a replica that is to leave may go on with what it has begun."""
    rollout: Rollout = Rollout.AUTO
    """How replicas are replaced, one at a time. Surge: the new one first, which takes room for one more. InPlace: the old one drains and
    leaves first. Auto: Surge when there is room, else InPlace."""
    suspend: bool = Field(default=False, description="No replicas, whatever else says so; everything else stays.")
    inference_pool: InferencePool | None = None
    """Makes the service a backend of the Gateway API too, where the cluster has its Inference Extension."""
    pod_template: PodTemplate | None = None
    """What no field above says: a fragment of a pod template, laid over the one that Berth makes."""


class LLMService(Resource):
    kind: Literal["LLMService"] = "LLMService"
    spec: LLMServiceSpec
    """What is served."""
    status: LLMServiceStatus = LLMServiceStatus()
    """What is true of it; written by the leader."""

    @property
    def model_name(self) -> str:
        """What clients write as `model` in their requests."""
        return self.spec.model.name or self.metadata.name
