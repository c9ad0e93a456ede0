"""What carrying out plans measures, beside `metrics`."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


class ExecutionMetrics:
    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.active = Gauge("berth_plan_active", "1 while a plan is carried out.", registry=registry)
        self.evictions = Counter(
            "berth_eviction_calls_total",
            "Calls of the Eviction API, by what came of them.",
            ["result"],
            registry=registry,
        )
        self.phase_seconds = Histogram(
            "berth_plan_phase_seconds",
            "Seconds that a plan spent: waiting (made to taken up), reserving, executing.",
            ["phase"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.pod_patches = Counter(
            "berth_execution_patches_total",
            "Annotations written on pods, by kind and result.",
            ["kind", "result"],
            registry=registry,
        )
        self.conflicts = Counter(
            "berth_plan_status_conflicts_total",
            "Status writes refused because the plan had changed.",
            registry=registry,
        )
        self.failures = Counter(
            "berth_execution_failures_total",
            "Requests that failed otherwise and are tried again, by what.",
            ["request"],
            registry=registry,
        )
