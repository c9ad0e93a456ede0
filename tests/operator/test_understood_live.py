"""From annotations on a server to Events for owners, through the real watch cache and the real parser."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from berth_operator.events import About
from berth_operator.metrics import Metrics
from berth_operator.understood_events import UnderstoodHints
from berth_operator.understood_reading import HintReaders
from tests.cluster.builders import PodThing, Thing, node, pod
from tests.cluster.live_builders import until, watched

HINT = "berth.dev/allocation-hint"


class Told:
    def __init__(self) -> None:
        self.told: list[tuple[About, str, str]] = []

    def tell(self, about: About, reason: str, message: str, **how: Any) -> None:
        self.told.append((about, reason, message))


def owner(kind: str, name: str) -> Thing:
    return Thing("apps/v1", kind, name, "default").meta(uid=f"uid-{name}")


def ours(thing: PodThing) -> PodThing:
    return thing.spec(schedulerName="berth")


def test_a_hint_on_a_deployment_is_told_on_the_deployment_and_again_when_it_changes() -> None:
    async def scenario() -> None:
        things = [
            node("n1").labelled({"topology.kubernetes.io/zone": "east"}),
            node("n2").labelled({"topology.kubernetes.io/zone": "west"}),
            owner("Deployment", "web").annotated({HINT: "spread us over zones"}),
            owner("ReplicaSet", "web-1").owned_by("Deployment", "web"),
            *(ours(pod(f"web-1-{i}")).owned_by("ReplicaSet", "web-1") for i in range(5)),
            ours(pod("alone")).annotated({"allocation_hint": "on a spot node"}),
            pod("elsewhere").annotated({HINT: "on a spot node"}),
        ]
        async with watched(*things) as (server, cluster):
            told = Told()
            hints = UnderstoodHints(cluster, told, Metrics(CollectorRegistry()), HintReaders())  # type: ignore[arg-type]
            cluster.listen(hints)
            await hints.round()
            found = {(about.kind, about.name, reason) for about, reason, _ in told.told}
            assert found == {
                ("Deployment", "web", "HintUnderstood"),
                ("Pod", "alone", "HintUnderstood"),
                ("Pod", "alone", "HintUnsatisfiable"),
            }
            assert next(a.uid for a, _, _ in told.told if a.name == "web") == "uid-web"
            await hints.round()
            assert len(told.told) == 3
            await server.put(owner("Deployment", "web").annotated({HINT: "prefer zone west"}))
            await until(
                lambda: {p.hint for p in cluster.snapshot().pods if p.name.startswith("web")} == {"prefer zone west"}
            )
            await hints.round()
            assert [(a.name, reason) for a, reason, _ in told.told[3:]] == [("web", "HintUnderstood")]
            assert "in zone west" in told.told[3][2]

    asyncio.run(scenario())
