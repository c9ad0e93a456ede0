"""`LLMService.spec.resources`, `.parallelism` and `.placement`: what one replica needs and where it should be."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from berth_api.annotations import SCHEDULER
from berth_api.passed_through import PassedThrough, Quantity
from berth_api.resource import ApiModel

LabelValue = Annotated[str, Field(max_length=63)]

MAX_HINT = 2_000
"""Characters of a hint that the parser reads."""


class Resources(ApiModel):
    """What one replica needs."""

    gpus: int = Field(default=1, ge=0, le=16)
    """Whole GPUs of one node, or as many of `engine.gpuResource`. 0 serves on the CPU, which is never chosen by itself."""
    gpu_model: str | None = Field(default=None, min_length=1, max_length=63)
    """Nodes without this GPU are ruled out; as their label nvidia.com/gpu.product says: NVIDIA-A100-SXM4-80GB."""
    memory: Quantity | None = None
    """Memory of the host, requested and at most: 64Gi."""
    cpu: Quantity | None = None
    """CPUs requested; more are used where they are idle."""


class Parallelism(ApiModel):
    """How one replica is spread over its GPUs."""

    tensor: int = Field(default=1, ge=1, le=16)
    """GPUs that share each layer; at most resources.gpus. With kind vllm usually as many as those."""


class Placement(ApiModel):
    """Where the replicas should be."""

    hint: str | None = Field(default=None, max_length=MAX_HINT)
    """Wishes in plain language: `spread over zones, close to the vector store, avoid spot nodes`. What was understood of it stands in
    status.hint; what is not understood changes nothing."""
    affinity: PassedThrough | None = None
    """As in a pod."""
    node_selector: dict[str, LabelValue] = Field(default={})
    """Labels that a node must have, as in a pod."""
    tolerations: list[PassedThrough] = Field(default=[], max_length=32)
    """Taints of nodes that do not matter, as in a pod."""
    topology_spread_constraints: list[PassedThrough] = Field(default=[], max_length=16)
    """As in a pod."""
    scheduler_name: str = Field(default=SCHEDULER, min_length=1, max_length=253)
    """Who places the pods. Any other than berth reads no hints and takes part in no plan."""
