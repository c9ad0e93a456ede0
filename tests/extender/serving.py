"""An extender that really listens, over a small cluster that a test describes.

async with serving(cluster) as extender:
    answer = await extender.filter(pod("a"), "n1", "n2")
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from berth_cluster.snapshot import Node, Pod, PodSpec, WorkloadKey
from berth_extender.asked_pods import AskedPods
from berth_extender.metrics import Metrics
from berth_extender.server import Application, Server, health_application, take_port
from berth_extender.verbs import Verbs
from berth_scheduling.scheduler import Scheduler
from berth_scheduling.settings import Settings

GPU = "nvidia.com/gpu"


def node(name: str, gpus: int = 8) -> Node:
    return Node(name, (("cpu", 64_000), (GPU, gpus), ("pods", 110)))


def pod(name: str, gpus: int = 1, on: str | None = None, priority: int = 0) -> Pod:
    spec = PodSpec((("cpu", 1_000), (GPU, gpus), ("pods", 1)))
    workload = WorkloadKey("default", "Pod", name, f"uid-{name}")
    phase: Any = "Running" if on else "Pending"
    return Pod("default", name, f"uid-{name}", spec, priority, workload, phase, on, scheduler="berth")


class SmallCluster:
    """What the watch cache would hold, fed to a real Scheduler."""

    def __init__(self, *things: Node | Pod, scheduler: Scheduler | None = None) -> None:
        self.scheduler = scheduler or Scheduler(Settings())
        self.pods: dict[str, Pod] = {}
        self.read: list[bytes] = []
        for thing in things:
            if isinstance(thing, Node):
                self.scheduler.node_changed(None, thing)
            else:
                self.pods[thing.uid] = thing
                self.scheduler.pod_changed(None, thing)

    def pod_by_uid(self, uid: str) -> Pod | None:
        return self.pods.get(uid)

    def read_pod(self, raw: bytes) -> Pod:
        self.read.append(raw)
        name = json.loads(raw)["metadata"]["name"]
        return pod(name)


class Running:
    """A client of one running extender."""

    def __init__(self, session: aiohttp.ClientSession, url: str, metrics: Metrics) -> None:
        self.session = session
        self.url = url
        self.synced = asyncio.Event()
        self.ended = asyncio.Event()
        self.answered: Callable[[], int] = lambda: 0
        self._metrics = metrics

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        async with self.session.post(self.url + path, data=data, headers=given) as answer:
            return answer.status, json.loads(await answer.read())

    async def ask(self, verb: str, about: Pod, *nodes: str) -> Any:
        """The answer to a filter or prioritize call about `nodes`, which must be 200."""
        status, answer = await self.post(f"/{verb}", request(about, *nodes))
        assert status == 200, answer
        return answer

    def count(self, name: str, **labels: str) -> float:
        """A metric's value now."""
        return self._metrics.registry.get_sample_value(name, labels) or 0.0


def request(about: Pod, *nodes: str) -> dict[str, Any]:
    metadata = {"name": about.name, "namespace": about.namespace, "uid": about.uid}
    return {"Pod": {"metadata": metadata}, "Nodes": None, "NodeNames": list(nodes)}


@contextlib.asynccontextmanager
async def serving(cluster: SmallCluster, *, synced: bool = True, **limits: Any) -> AsyncIterator[Running]:
    """`limits` as of Verbs."""
    metrics = Metrics()
    with take_port("127.0.0.1", 0) as listening:
        async with aiohttp.ClientSession() as session:
            running = Running(session, f"http://127.0.0.1:{listening.getsockname()[1]}", metrics)
            if synced:
                running.synced.set()
            verbs = Verbs(cluster.scheduler, AskedPods(cluster, metrics), metrics, running.synced, **limits)
            running.answered = lambda: verbs.answered
            health = health_application(lambda: "" if running.synced.is_set() else "not synced")
            server = asyncio.create_task(Server(Application(verbs, health), listening).run_until(running.ended))
            await asyncio.sleep(0)
            yield running
        running.ended.set()
        await server
