"""A live cluster behind the API: the picture follows it, and readers get what has changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from berth_ui import streams
from berth_ui.answers import Answers
from berth_ui.callers import Caller
from berth_ui.live_source import LiveSource
from berth_ui.picture import paint
from berth_ui.server import build_app
from berth_ui.services import ServiceWatch
from berth_ui.thinking import Thinker
from berth_ui.wire import Change, Harbour, May
from tests.cluster.api_server import ApiServer
from tests.cluster.builders import PodThing, Thing, node, pod
from tests.cluster.live_builders import QUICK, until, watched

ALL = Caller(May(act=True, see_nodes=True, see_plans=True, namespaces=None))
ONE = Caller(May(act=False, see_nodes=False, see_plans=False, namespaces=["mine"]), services=frozenset(("mine",)))


class Live:
    def __init__(self, server: ApiServer, source: LiveSource, answers: Answers) -> None:
        self.server = server
        self.source = source
        self.answers = answers

    def harbour(self, caller: Caller = ALL) -> Harbour:
        return self.answers.harbour(caller, "", 1_000)


@asynccontextmanager
async def live(*things: Thing) -> AsyncIterator[Live]:
    async with watched(*things) as (server, cluster):
        services = ServiceWatch(cluster._connection, QUICK)
        thinker = Thinker("berth")
        source = LiveSource("test", cluster, services, thinker)
        source.begin()
        tasks = [asyncio.create_task(run()) for run in (services.run, source.run)]
        try:
            yield Live(server, source, Answers(source, thinker))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            thinker.close()


def gpu_node(name: str) -> Thing:
    return node(name).has(cpu="64", memory="512Gi", gpu="8")


def asks(name: str, gpus: int, namespace: str = "default") -> PodThing:
    return pod(name, namespace).asks(limits={"nvidia.com/gpu": str(gpus)}, **{"nvidia.com/gpu": str(gpus)})


def applied(harbour: Harbour, change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """As a page does it."""
    nodes = {n.name: n for n in harbour.nodes} | {n.name: n for n in change.nodes}
    pods = {p.uid: p for p in harbour.pods} | {p.uid: p for p in change.pods}
    return (
        {name: n for name, n in nodes.items() if name not in change.nodes_gone},
        {uid: p for uid, p in pods.items() if uid not in change.pods_gone},
    )


def run(scenario: Any) -> None:
    asyncio.run(scenario)


def test_a_harbour_and_what_came_since_are_the_harbour_now() -> None:
    async def scenario() -> None:
        async with live(gpu_node("n1"), gpu_node("n2"), asks("a", 4).on("n1"), asks("b", 8), asks("c", 1)) as here:
            before = here.harbour()
            assert [(n.name, n.gpus, n.gpus_used) for n in before.nodes] == [("n1", 8, 4), ("n2", 8, 0)]
            await here.server.put(asks("b", 8).on("n2"))
            await here.server.delete("Pod", "c", "default")
            await here.server.put(gpu_node("n3"))
            await until(lambda: len(here.harbour().nodes) == 3 and len(here.harbour().pods) == 2)
            now = here.harbour()
            change = here.answers.change(ALL, before.revision)
            assert (change.since, change.revision) == (before.revision, now.revision)
            assert [n.name for n in change.nodes] == ["n2", "n3"]  # n1 has not changed: it is not sent again
            nodes, pods = applied(before, change)
            assert nodes == {n.name: n for n in now.nodes}
            assert pods == {p.uid: p for p in now.pods}
            assert {n.name: n.gpus_used for n in now.nodes} == {"n1": 4, "n2": 8, "n3": 0}
            assert (change.overview.gpus_used, change.overview.waiting, change.overview.running) == (12, 0, 2)

    run(scenario())


def test_a_picture_kept_by_changes_is_the_one_painted_from_the_whole() -> None:
    async def scenario() -> None:
        async with live(*(gpu_node(f"n{i}") for i in range(3)), *(asks(f"p{i}", 2) for i in range(9))) as here:
            for i in range(9):
                await here.server.put(asks(f"p{i}", 2).on(f"n{i % 3}"))
            for i in range(0, 9, 4):
                await here.server.delete("Pod", f"p{i}", "default")
            await here.server.put(asks("p1", 2).on("n1").spec(priority=7))
            kept = here.source.painted
            await until(lambda: len(kept().pods) == 6 and [t.priority for t in kept().tiers] == [7, 0])
            whole = paint(here.source.snapshot())
            assert dict(kept().nodes) == dict(whole.nodes)
            assert dict(kept().pods) == dict(whole.pods)
            assert kept().tiers == whole.tiers
            assert kept().shapes == whole.shapes

    run(scenario())


def test_who_is_too_far_behind_loads_everything_anew() -> None:
    async def scenario() -> None:
        async with live(gpu_node("n1")) as here:
            now = here.source.revision
            for revision in (now - 1_000, now + 5, None):
                change = here.answers.change(ALL, revision)
                assert (change.since, change.revision) == (now, now)
                assert change.nodes == []
                assert change.overview.nodes == 1

    run(scenario())


def test_what_does_not_change_the_picture_makes_no_revision() -> None:
    async def scenario() -> None:
        async with live(gpu_node("n1"), asks("a", 1).on("n1")) as here:
            before = here.source.revision
            await here.server.put(asks("a", 1).on("n1").annotated({"controller.kubernetes.io/pod-deletion-cost": "7"}))
            await here.server.put(asks("b", 1).on("n1"))
            await until(lambda: here.source.revision > before)
            change = here.answers.change(ALL, before)
            assert [p.name for p in change.pods] == ["b"]

    run(scenario())


def test_a_tenant_sees_their_own_pods_and_nothing_of_others() -> None:
    async def scenario() -> None:
        things = [
            gpu_node("n1"),
            asks("a", 4, "theirs").on("n1"),
            asks("b", 1, "mine").on("n1"),
            asks("w", 8, "theirs"),
        ]
        async with live(*things) as here:
            before = here.harbour(ONE)
            assert before.nodes == []
            assert [p.name for p in before.pods] == ["b"]
            overview = here.answers.overview(ONE)
            assert (overview.gpus, overview.running, overview.waiting, overview.services) == (0, 1, 0, 0)
            assert [tier.gpus for tier in overview.tiers] == [1]
            await here.server.delete("Pod", "a", "theirs")
            await here.server.put(asks("b2", 1, "mine"))
            await until(lambda: len(here.harbour(ONE).pods) == 2)
            told = msgspec_json(here.answers.change(ONE, before.revision))
            assert [p["name"] for p in told["pods"]] == ["b2"]
            assert (told["nodes"], told["podsGone"], told["nodesGone"]) == ([], [], [])
            waiting = await here.answers.waiting(ONE, "", 10)
            assert [item.pod for item in waiting.items] == ["mine/b2"]
            sees_nodes = Caller(May(act=False, see_nodes=True, see_plans=False, namespaces=["mine"]))
            assert [n.gpus_used for n in here.harbour(sees_nodes).nodes] == [1]

    run(scenario())


def test_events_stream_from_where_a_reader_was() -> None:
    async def scenario() -> None:
        async with live(gpu_node("n1")) as here:
            app = build_app(here.source, Thinker())
            async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as browser:
                async with browser.stream("GET", "/api/v1/changes") as stream:
                    assert stream.headers["content-type"].startswith("text/event-stream")
                    events = sse(stream)
                    first = await anext(events)
                    assert (first["since"], first["overview"]["nodes"]) == (first["revision"], 1)
                    await here.server.put(asks("a", 1))
                    second = await anext(events)
                    assert second["since"] == first["revision"]
                    assert [p["name"] for p in second["pods"]] == ["a"]
                await here.server.put(asks("b", 1))
                await until(lambda: here.source.revision > second["revision"])
                back = {"Last-Event-ID": str(second["revision"])}
                async with browser.stream("GET", "/api/v1/changes", headers=back) as stream:
                    third = await anext(sse(stream))
                    assert third["since"] == second["revision"]
                    assert [p["name"] for p in third["pods"]] == ["b"]

    run(scenario())


def test_one_caller_cannot_take_all_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(streams, "MAX_OF_ONE", 1)
        async with live(gpu_node("n1")) as here:
            app = build_app(here.source, Thinker())
            async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=10) as browser:
                for _ in range(2):  # one that has ended gives its place back
                    async with browser.stream("GET", "/api/v1/changes") as stream:
                        await anext(sse(stream))
                        refused = await browser.get("/api/v1/changes")
                        assert (refused.status_code, refused.json()["reason"]) == (429, "Busy")
                    await asyncio.sleep(0.3)

    run(scenario())


def test_changes_in_a_burst_are_told_together() -> None:
    async def scenario() -> None:
        async with live(gpu_node("n1")) as here:
            before = here.source.revision
            for i in range(50):
                await here.server.put(asks(f"p{i}", 1))
            await until(lambda: len(here.harbour().pods) == 50)
            assert here.source.revision - before <= 10

    run(scenario())


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    import socket

    from berth_operator.health import HealthServer

    listening = socket.create_server(("127.0.0.1", 0))
    server = HealthServer(app)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def sse(stream: httpx.Response) -> AsyncIterator[Any]:
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line[len("data: ") :])


def msgspec_json(value: Any) -> Any:
    import msgspec

    return json.loads(msgspec.json.encode(value))
