"""What /metrics tells: histograms filled as requests go on, gauges read from the engine when somebody looks.

Priorities are any integers, so labels carry one of three classes (urgent above 0, standard 0, batch below): a client cannot
make series without end. Beside our own names stand the four of vLLM that autoscalers read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import prometheus_client
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from berth_engine.engine import Engine, Event

CLASSES = ("urgent", "standard", "batch")
SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def class_of(priority: int) -> str:
    return "urgent" if priority > 0 else "standard" if priority == 0 else "batch"


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.engine: Engine | None = None  # none while the weights load
        self.weights: Mapping[str, int] = {}  # bytes by dtype
        self.registry = CollectorRegistry()
        self._ttft = Histogram(
            "berth_engine_ttft_seconds", "From arrival to the first token", ["class"], buckets=SECONDS, registry=self.registry
        )  # fmt: skip
        self._token = Histogram(
            "berth_engine_time_per_token_seconds", "Mean time of a request's tokens after its first", ["class"], buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self._wait = Histogram(
            "berth_engine_urgent_wait_seconds", "From arrival to the first layer slice of requests above priority 0",
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.stalled = prometheus_client.Counter(
            "berth_engine_stalled_readers", "Streams ended because nobody read them", registry=self.registry
        )
        self.registry.register(self)

    def observe(self, event: Event) -> None:
        """Take in an event of a request (from the engine's thread)."""
        request = event.request
        name = class_of(request.priority)
        if event.tokens and event.output_tokens == len(event.tokens) and request.first_token is not None:
            self._ttft.labels(name).observe(request.first_token - request.arrived)
            if request.priority > 0 and request.started is not None:
                self._wait.observe(request.started - request.arrived)
        own = event.output_tokens - request.taken_over
        if event.finish and request.finished and request.first_token and own > 1:
            self._token.labels(name).observe((request.finished - request.first_token) / (own - 1))

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """The engine as it stands now (called by the registry)."""
        if self.engine is None:
            return
        now = self.engine.gauges()
        waiting = Counter[str]()
        for priority, count in now.waiting.items():
            waiting[class_of(priority)] += count
        queue = GaugeMetricFamily("berth_engine_queue", "Requests that wait for their first slice", labels=["class"])
        for name in CLASSES:
            queue.add_metric([name], waiting[name])
        yield queue
        weights = GaugeMetricFamily("berth_engine_weights_bytes", "Bytes of the model's weights", labels=["dtype"])
        for dtype, size in self.weights.items():
            weights.add_metric([dtype], size)
        yield weights
        yield GaugeMetricFamily("berth_engine_running", "Requests in the running pass", now.running)
        yield GaugeMetricFamily("berth_engine_paused", "Admitted requests that are not computing", now.paused)
        yield GaugeMetricFamily("berth_engine_kv_cache_usage", "Share of the device's blocks in use", now.kv_use)
        yield GaugeMetricFamily("berth_engine_host_kv_usage", "Share of the host's blocks in use", now.host_use)
        for name, value, what in (
            ("preemptions", now.counts.preemptions, "Passes interrupted between two layers"),
            ("passes", now.counts.passes, "Passes begun"),
            ("slices", now.counts.slices, "Layer slices run"),
            ("tokens", now.counts.tokens, "Tokens computed, prompts included"),
            ("spilled_blocks", now.spilled_blocks, "Blocks copied to host memory"),
        ):
            yield CounterMetricFamily(f"berth_engine_{name}", what, value)
        for name, gauge, what in (
            ("num_requests_waiting", float(sum(waiting.values())), "Requests waiting"),
            ("num_requests_running", float(now.running + now.paused), "Requests admitted"),
            ("kv_cache_usage_perc", now.kv_use, "KV cache in use, 0 to 1"),
            ("gpu_cache_usage_perc", now.kv_use, "KV cache in use, 0 to 1 (the older name)"),
        ):
            family = GaugeMetricFamily(f"vllm:{name}", what, labels=["model_name"])
            family.add_metric([self.model], gauge)
            yield family
