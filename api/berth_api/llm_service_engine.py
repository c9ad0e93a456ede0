"""`LLMService.spec.engine`: the program that serves, so that nobody has to change engines to get the placement."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from berth_api.passed_through import PassedThrough
from berth_api.resource import ApiModel

GPU_RESOURCE = "nvidia.com/gpu"


class EngineKind(StrEnum):
    """How an engine is started, asked whether it answers, and told to leave."""

    BERTH = "berth"  # ours
    VLLM = "vllm"
    CUSTOM = "custom"  # any that speaks HTTP


Word = Annotated[str, Field(max_length=4_096)]
Path = Annotated[str, Field(max_length=253, pattern="^/")]


class EnvironmentVariable(ApiModel):
    """One variable of the engine's environment, as in a container."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the variable."""
    value: str | None = Field(default=None, max_length=32_768)
    """Its value as it stands; secrets belong into valueFrom."""
    value_from: PassedThrough | None = None
    """Where the value comes from, as in a container: secretKeyRef, configMapKeyRef, fieldRef, resourceFieldRef."""


class Engine(ApiModel):
    """The program that serves."""

    kind: EngineKind = EngineKind.BERTH
    """berth: requests of higher priority interrupt others in the middle of a forward pass. vllm: `vllm serve`. custom: any image that
    serves HTTP; say how to ask it below."""
    image: str | None = Field(default=None, min_length=1, max_length=512)
    """The engine's image; that of this release unless given. kind custom needs one."""
    command: list[Word] = Field(default=[], max_length=64)
    """Instead of the image's entry point."""
    args: list[Word] = Field(default=[], max_length=128)
    """Behind the arguments that Berth gives; for kind custom all there are. Weights lie in /model/weights, those of pvc:// in
    /source/folder."""
    env: list[EnvironmentVariable] = Field(
        default=[],
        max_length=128,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """More of the engine's environment."""
    max_context_tokens: int | None = Field(default=None, ge=1, le=16_777_216)
    """Longest prompt and answer together; the model's own limit unless given."""
    max_batch: int | None = Field(default=None, ge=1, le=4_096)
    """Most requests in one step; the engine's own choice unless given."""
    kv_cache_share: float | None = Field(default=None, ge=0.05, le=0.99)
    """Of the memory of the GPU: for kind berth the share of what the weights leave that the KV cache gets, for kind vllm the share of
    all that the engine uses."""
    gpu_resource: str = Field(default=GPU_RESOURCE, min_length=1, max_length=317)
    """What the GPUs are called on the nodes: nvidia.com/gpu, nvidia.com/mig-3g.40gb, amd.com/gpu."""
    port: int | None = Field(default=None, ge=1_024, le=65_535)
    """kind custom: where it listens; 8000 unless given."""
    ready_path: Path | None = None
    """kind custom: answers 200 once the weights are loaded and requests are answered; /health unless given."""
    drain_path: Path | None = None
    """kind custom: asked with GET before the pod is told to leave; it must take no new requests from then on. Without one SIGTERM says
    it all."""
    metrics_path: Path | None = None
    """kind custom: Prometheus metrics; /metrics unless given."""
