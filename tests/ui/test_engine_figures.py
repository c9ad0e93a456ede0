"""What an engine's metrics say to somebody who looks at its service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest

from berth_cluster.connection import ApiError
from berth_ui.callers import Caller, Onlookers
from berth_ui.engine_figures import EngineFigures, Figures, figures_of, median_of
from berth_ui.wire import May, Replica, ServiceView


def text(*seconds: float) -> str:
    registry = CollectorRegistry()
    for name, value in (("num_requests_running", 3), ("num_requests_waiting", 5), ("kv_cache_usage_perc", 0.25)):
        Gauge(f"vllm:{name}", name, ["model_name"], registry=registry).labels("m").set(value)
    first = Histogram("berth_engine_ttft_seconds", "first", ["class"], buckets=(1, 2, 4), registry=registry)
    for i, each in enumerate(seconds):
        first.labels(str(i % 2)).observe(each)
    return generate_latest(registry).decode()


def test_figures_are_read_from_what_both_kinds_of_engine_export() -> None:
    assert figures_of(text(0.5, 0.5, 3.0, 3.0)) == Figures(running=3, queued=5, ttft_seconds=1.0, kv_use=0.25)
    assert figures_of(text()).ttft_seconds is None
    assert figures_of("not { metrics") == Figures()


@pytest.mark.parametrize(
    ("buckets", "median"),
    [
        ({1.0: 10, 2.0: 10, float("inf"): 10}, 0.5),
        ({1.0: 0, 2.0: 4, float("inf"): 4}, 1.5),
        ({1.0: 0, float("inf"): 9}, 1.0),
    ],
)
def test_the_median_lies_within_its_bucket(buckets: Mapping[float, float], median: float) -> None:
    assert median_of(buckets) == median


class Engine(Onlookers):
    def __init__(self, refuses: bool = False) -> None:
        self.asked: list[str] = []
        self._refuses = refuses

    async def read(self, caller: Caller, path: str) -> bytes:
        self.asked.append(path)
        if self._refuses:
            raise ApiError(path, 403, "Forbidden", "no")
        return text().encode()


def service(*ready: bool) -> ServiceView:
    figures: Any = {"running": None, "queued": None, "ttft_seconds": None, "kv_use": None}
    replicas = [Replica(pod=f"p{i}", node="n", ready=r, reason="", **figures) for i, r in enumerate(ready)]
    words = dict.fromkeys(("namespace", "name", "model", "priority_class", "reason", "message", "hint"), "x")
    return ServiceView(**words, desired=1, ready=1, is_ready=True, conditions=[], replicas=replicas)  # type: ignore[arg-type]


def person(name: str) -> Caller:
    return Caller(May(act=False, see_nodes=True, see_plans=True, namespaces=None), name=name)


def test_engines_are_asked_as_the_person_who_looks_and_not_at_each_look() -> None:
    async def scenario() -> None:
        now = [0.0]
        engine = Engine()
        figures = EngineFigures(engine, lambda namespace, pod: "8000/metrics", lambda: now[0])
        (filled,) = await figures.fill(person("a"), [service(True, False)])
        assert [(r.queued, r.kv_use) for r in filled.replicas] == [(5, 0.25), (None, None)]
        await figures.fill(person("a"), [service(True, False)])
        assert engine.asked == ["/api/v1/namespaces/x/pods/p0:8000/proxy/metrics"]
        await figures.fill(person("b"), [service(True, False)])  # what one may see says nothing of the other
        now[0] = 60.0
        await figures.fill(person("a"), [service(True, False)])
        assert len(engine.asked) == 3

    asyncio.run(scenario())


def test_a_path_that_a_tenant_wrote_does_not_lead_out_of_the_proxy() -> None:
    async def scenario() -> None:
        for path in ("8000/../../../../secrets", "8000/%2e%2e/secrets", "8000/metrics?x=1"):
            engine = Engine()
            figures = EngineFigures(engine, lambda namespace, pod, path=path: path)  # type: ignore[misc]
            await figures.fill(person("a"), [service(True)])
            assert engine.asked == []

    asyncio.run(scenario())


def test_who_may_not_ask_engines_sees_services_without_figures() -> None:
    async def scenario() -> None:
        figures = EngineFigures(Engine(refuses=True), lambda namespace, pod: "8000/metrics")
        asked = [service(True)]
        assert await figures.fill(person("a"), asked) == asked

    asyncio.run(scenario())
