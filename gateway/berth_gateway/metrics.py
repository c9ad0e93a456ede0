"""What /metrics tells of the door itself. What goes on behind it, the engines tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """In a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "berth_gateway_requests",
            "Requests answered, by the class of the status",
            ["status"],
            registry=self.registry,
        )
        self.refused = Counter(
            "berth_gateway_refused", "Answers of the gateway's own", ["code"], registry=self.registry
        )
        self.retries = Counter("berth_gateway_retries", "Replicas that did not begin", registry=self.registry)
        self.continued = Counter(
            "berth_gateway_continued", "Streams that went on at another replica", registry=self.registry
        )
        self.held = Gauge(
            "berth_gateway_held", "Requests that wait for a service to wake", ["model"], registry=self.registry
        )
        self.waking = Histogram(
            "berth_gateway_wake_seconds", "How long they waited", ["model"], registry=self.registry,
            buckets=(1, 3, 10, 30, 60, 120, 300, 600),
        )  # fmt: skip

    @contextmanager
    def waits(self, model: str) -> Iterator[None]:
        """While a request is held."""
        begin = time.monotonic()
        self.held.labels(model).inc()
        try:
            yield
        finally:
            self.held.labels(model).dec()
            self.waking.labels(model).observe(time.monotonic() - begin)
