"""What /metrics tells of services: read from what stands when somebody looks, so that nothing is counted twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from berth_api.llm_service import ServiceCondition
from berth_api.resource import find_condition
from berth_operator.serving.reconciler import Reconciler
from berth_operator.serving.services import Services
from berth_operator.serving.view import ServingView

NOT_SEEN = "NotSeenYet"


class ServingMetrics(Collector):
    """Reasons are the operator's own codes, or those of engines: a few dozen."""

    def __init__(
        self, registry: CollectorRegistry, view: ServingView, services: Services, reconciler: Reconciler
    ) -> None:
        self._view, self._services, self._reconciler = view, services, reconciler
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        counted: Counter[tuple[str, str]] = Counter()
        replicas = ready = 0
        for service in list(self._view.services.values()):
            found = find_condition(service.status.conditions, ServiceCondition.READY)
            counted[("Unknown", NOT_SEEN) if found is None else (found.status, found.reason)] += 1
            replicas += service.status.desired_replicas
            ready += service.status.ready_replicas
        services = GaugeMetricFamily(
            "berth_llm_services", "LLMServices, by their Ready condition", labels=["ready", "reason"]
        )
        for (status, reason), count in sorted(counted.items()):
            services.add_metric([status, reason], count)
        yield services
        yield GaugeMetricFamily("berth_llm_service_replicas", "Replicas asked for", replicas)
        yield GaugeMetricFamily("berth_llm_service_ready_replicas", "Replicas that answer and get traffic", ready)
        yield CounterMetricFamily("berth_llm_service_looks", "Services looked at", self._services.looked_at)
        yield CounterMetricFamily(
            "berth_llm_service_writes", "Objects applied and statuses written", self._reconciler.writes
        )
        yield GaugeMetricFamily(
            "berth_llm_service_watch_age_seconds", "Since the quietest watch last said anything", self._view.staleness()
        )
        watches = CounterMetricFamily("berth_llm_service_watch_restarts", "Watches begun again", labels=["reason"])
        for reason, count in sorted(self._view.restarts.items()):
            watches.add_metric([reason], count)
        yield watches
