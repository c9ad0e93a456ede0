"""What the extender tells Prometheus, on a port of its own.

Counting costs about a microsecond a call: labels are bound once. Gauges that are cheap to read (ledger, staleness) are read
when Prometheus asks, not kept up to date.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

LATENCY_BUCKETS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
)  # fmt: skip
"""Seconds. Dense where an answer should lie: 0.1 to 10 ms."""


class Metrics:
    """One registry a process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.latency = Histogram(
            "berth_extender_request_seconds",
            "From the first byte of a request's body to its answer.",
            ("verb",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.outcomes = Counter(
            "berth_extender_decisions",
            "Answers by verb and by what was decided.",
            ("verb", "outcome"),
            registry=registry,
        )
        self.fallbacks = Counter(
            "berth_extender_fallbacks",
            "Answers that left everything to the stock scheduler, and why.",
            ("verb", "reason"),
            registry=registry,
        )
        self.refused = Counter(
            "berth_extender_refused_requests", "Requests answered with 4xx, by reason.", ("reason",), registry=registry
        )
        self.unknown_pods = Counter(
            "berth_extender_unknown_pods",
            "Requests for pods that the watch had not shown yet; they were read from the request.",
            registry=registry,
        )
        self.lease_renewals = Counter(
            "berth_extender_lease_renewals", "Renewals of the own Lease, by result.", ("result",), registry=registry
        )
        self.collection = Histogram(
            "berth_extender_gc_pause_seconds",
            "Pauses of the garbage collector, by generation.",
            ("generation",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._gauges: list[Gauge] = []

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A gauge that is read when asked for."""
        gauge = Gauge(name, meaning, registry=self.registry)
        gauge.set_function(read)
        self._gauges.append(gauge)

    def counts(self, name: str, meaning: str, label: str, read: Callable[[], dict[str, int]]) -> None:
        """A counter kept elsewhere, by one label."""
        self.registry.register(_Counts(name, meaning, label, read))


class _Counts(Collector):
    def __init__(self, name: str, meaning: str, label: str, read: Callable[[], dict[str, int]]) -> None:
        self._name, self._meaning, self._label, self._read = name, meaning, label, read

    def collect(self) -> list[CounterMetricFamily]:
        family = CounterMetricFamily(self._name, self._meaning, labels=[self._label])
        for value, count in sorted(self._read().items()):
            family.add_metric([value], count)
        return [family]
