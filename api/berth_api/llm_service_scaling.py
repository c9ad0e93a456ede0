"""`LLMService.spec.autoscaling` and `.requestPriority`: how many replicas there are, and what their clients may ask for."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from berth_api.resource import ApiModel

MAX_REPLICAS = 1_000
LEAST_PRIORITY, MOST_PRIORITY = -1_000, 1_000
"""What the engine takes."""


class Metric(StrEnum):
    """What a replica's load is measured by. Utilisation of GPUs is not among them: a full batch and an idle one look alike."""

    QUEUE_DEPTH = "QueueDepth"
    TIME_TO_FIRST_TOKEN = "TimeToFirstToken"  # noqa: S105  (no password)
    KV_CACHE_USE = "KVCacheUse"
    RUNNING_REQUESTS = "RunningRequests"


USUAL_TARGET = {
    Metric.QUEUE_DEPTH: 4,
    Metric.TIME_TO_FIRST_TOKEN: 1_000,
    Metric.KV_CACHE_USE: 80,
    Metric.RUNNING_REQUESTS: 16,
}


class StabilizationSeconds(ApiModel):
    """How long a load must last before it counts, so that replicas do not come and go."""

    up: int = Field(default=0, ge=0, le=3_600)
    """Before replicas are added."""
    down: int = Field(default=300, ge=0, le=86_400)
    """Before replicas are taken away; also how long nobody must ask before the last one goes where `min` is 0."""


class Autoscaling(ApiModel):
    """Replicas by load."""

    min: int = Field(default=1, ge=0, le=MAX_REPLICAS)
    """Fewest replicas. 0: the last one goes when nobody asks, and the gateway holds requests while the first one wakes."""
    max: int = Field(ge=1, le=MAX_REPLICAS)
    """Most replicas."""
    metric: Metric = Metric.QUEUE_DEPTH
    """QueueDepth: requests that wait, a replica. TimeToFirstToken: milliseconds, at the 95th percentile. KVCacheUse: percent.
    RunningRequests: requests in the batch, a replica."""
    target: int | None = Field(default=None, ge=1, le=1_000_000)
    """What `metric` is kept at, in its unit; unless given 4 for QueueDepth, 1000 for TimeToFirstToken, 80 for KVCacheUse, 16 for
    RunningRequests."""
    stabilization_seconds: StabilizationSeconds = StabilizationSeconds()
    """How long a load must last before it counts."""

    @property
    def effective_target(self) -> int:
        """The target given, or the metric's usual one."""
        return USUAL_TARGET[self.metric] if self.target is None else self.target


class RequestPriority(ApiModel):
    """Which priorities the service's clients may ask for. Higher is more urgent: an urgent request interrupts lesser ones, which go on
    afterwards where they were."""

    default: int = Field(default=0, ge=LEAST_PRIORITY, le=MOST_PRIORITY)
    """Of requests that name none."""
    max: int = Field(default=MOST_PRIORITY, ge=LEAST_PRIORITY, le=MOST_PRIORITY)
    """The highest that counts; who asks for more gets this."""
