"""Brings a live cluster, its recorder and its metrics together.

Metrics count what happened while this process watched; plans that had ended before are in the history alone.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from berth_api.packing_plan import PackingPlan
from berth_cluster.snapshot import Pod
from berth_ui.fragments import Stranded
from berth_ui.history import Recorder
from berth_ui.live_source import LiveSource
from berth_ui.picture import oldest_wait
from berth_ui.wire import Sample

WAIT_BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400)


class Sampler:
    """The cluster in a few numbers; empty `at`: it has not been listed yet."""

    def __init__(self, source: LiveSource) -> None:
        self._source = source
        self._stranded = Stranded()

    def __call__(self) -> Sample:
        source, painted = self._source, self._source.painted()
        nodes = list(painted.nodes.values())
        return Sample(
            at=source.taken if source.synced else "",
            gpus=sum(node.gpus for node in nodes),
            gpus_used=sum(node.gpus_used for node in nodes),
            gpus_stranded=self._stranded.of(nodes, painted.shapes),
            running=sum(tier.running for tier in painted.tiers),
            waiting=sum(tier.waiting for tier in painted.tiers),
            oldest_wait_seconds=oldest_wait(painted.pods.values(), source.now()),
        )


class Recording:
    """Tells the recorder of what the picture hears."""

    def __init__(self, source: LiveSource, recorder: Recorder, registry: CollectorRegistry | None = None) -> None:
        self._recorder = recorder
        self._metrics = None if registry is None else _Metrics(source, recorder, registry)
        source.picture.placed = self.placed
        source.picture.ended = self.ended

    def placed(self, before: Pod, now: Pod) -> None:
        seconds = self._recorder.placed(before, now)
        if seconds is not None and self._metrics is not None:
            self._metrics.waits.labels(str(now.priority)).observe(seconds)

    def ended(self, plan: PackingPlan, just_now: bool) -> None:
        self._recorder.ended(plan)
        if just_now and self._metrics is not None:
            self._metrics.plan_ended(plan)


class _Metrics:
    def __init__(self, source: LiveSource, recorder: Recorder, registry: CollectorRegistry) -> None:
        self.waits = Histogram(
            "berth_history_wait_seconds",
            "How long pods waited until they were placed",
            ["priority"],
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._moves = Counter("berth_history_moves", "Pods evicted by plans that ended", ["what"], registry=registry)
        self._gains = Counter(
            "berth_history_pods_gained", "Pods placed more by plans that ended", ["what"], registry=registry
        )
        stranded = Stranded()
        Gauge(
            "berth_history_gpus_stranded",
            "Free GPUs that no pod of a size that runs or waits could use",
            registry=registry,
        ).set_function(lambda: stranded.of(source.painted().nodes.values(), source.painted().shapes))
        Gauge("berth_history_samples_written", "Samples written", registry=registry).set_function(
            lambda: recorder.writes
        )
        Gauge("berth_history_write_failures", "Writes of the history that failed", registry=registry).set_function(
            lambda: recorder.failures
        )

    def plan_ended(self, plan: PackingPlan) -> None:
        spec, status = plan.spec, plan.status
        self._moves.labels("planned").inc(len(spec.evictions))
        self._moves.labels("made").inc(status.moves_done)
        planned = sum(t.placed_after - t.placed_before for t in spec.certificate.tiers)
        self._gains.labels("planned").inc(max(planned, 0))
        self._gains.labels("made").inc(max(status.pods_placed - status.moves_done, 0))
