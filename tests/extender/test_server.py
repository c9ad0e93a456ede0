"""The extender as kube-scheduler meets it: over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from berth_cluster.snapshot import Pod
from berth_scheduling.scheduler import Scheduler

from .serving import Running, SmallCluster, node, pod, request, serving

WIRE = Path(__file__).parent / "wire"
FALLBACKS = "berth_extender_fallbacks_total"
REFUSED = "berth_extender_refused_requests_total"

ON_THREE_NODES = (node("n1"), node("n2"), node("n3"), pod("a"), pod("b", 4, on="n1"))


def against(cluster: SmallCluster, act: Callable[[Running], Awaitable[None]], **limits: Any) -> None:
    """Runs `act` against an extender over `cluster`."""

    async def scene() -> None:
        async with serving(cluster, **limits) as extender:
            await act(extender)

    asyncio.run(scene())


def test_without_plans_every_node_passes() -> None:
    async def act(extender: Running) -> None:
        answer = await extender.ask("filter", pod("a"), "n2", "n1", "n3")
        assert sorted(answer["NodeNames"]) == ["n1", "n2", "n3"]
        assert answer["FailedNodes"] == answer["FailedAndUnresolvableNodes"] == {}

    against(SmallCluster(*ON_THREE_NODES), act)


def test_the_node_that_is_left_least_fragmented_ranks_first() -> None:
    async def act(extender: Running) -> None:
        answer = await extender.ask("prioritize", pod("a", 4), "n1", "n2", "n3")
        scores = {entry["Host"]: entry["Score"] for entry in answer}
        assert scores["n1"] == 10
        assert scores["n2"] == scores["n3"] < 10

    against(SmallCluster(node("n1"), node("n2"), node("n3"), pod("a", 4), pod("b", 4, on="n1")), act)


def test_without_a_leader_stock_preemption_goes_on() -> None:
    body = {
        "Pod": {"metadata": {"name": "a", "namespace": "default", "uid": "uid-a"}},
        "NodeNameToVictims": None,
        "NodeNameToMetaVictims": {"n1": {"Pods": [{"UID": "uid-b"}], "NumPDBViolations": 1}},
    }

    async def act(extender: Running) -> None:
        status, answer = await extender.post("/preempt", body)
        assert (status, answer) == (200, {"NodeNameToMetaVictims": body["NodeNameToMetaVictims"]})

    against(SmallCluster(node("n1"), pod("a", 8, priority=10), pod("b", 8, on="n1")), act)


@pytest.mark.parametrize("name", ["filter", "filter-nominated", "filter-whole-nodes", "prioritize"])
def test_what_a_real_scheduler_sends_is_answered(name: str) -> None:
    body = (WIRE / f"{name}.json").read_bytes()
    names = json.loads(body)["NodeNames"] or [n["metadata"]["name"] for n in json.loads(body)["Nodes"]["items"]]

    async def act(extender: Running) -> None:
        status, answer = await extender.post("/" + name.partition("-")[0], body)
        assert status == 200
        if name == "prioritize":
            assert sorted(entry["Host"] for entry in answer) == sorted(names)
        elif "whole" in name:
            assert answer["Nodes"]["items"] == json.loads(body)["Nodes"]["items"]
        else:
            assert sorted(answer["NodeNames"]) == sorted(names)

    against(SmallCluster(*(node(f"node-{i}") for i in range(3))), act)


def test_calls_that_were_answered_are_counted_and_refused_ones_are_not() -> None:
    async def act(extender: Running) -> None:
        await extender.ask("filter", pod("a"), "n1")
        await extender.ask("prioritize", pod("a"), "n1")
        assert (await extender.post("/filter", b"no JSON"))[0] == 400
        assert extender.answered() == 2

    against(SmallCluster(node("n1"), pod("a")), act)


def test_a_pod_that_the_watch_has_not_shown_is_read_from_the_request() -> None:
    cluster = SmallCluster(node("n1"))

    async def act(extender: Running) -> None:
        assert (await extender.ask("filter", pod("new"), "n1"))["NodeNames"] == ["n1"]
        assert json.loads(cluster.read[0])["metadata"]["name"] == "new"
        assert extender.count("berth_extender_unknown_pods_total") == 1

    against(cluster, act)


# Never in the way


class BrokenScheduler(Scheduler):
    """As if each decision had a bug."""

    def filter(self, pod: Pod, names: Sequence[str]) -> Any:
        raise ZeroDivisionError("a bug")

    def prioritize(self, pod: Pod, names: Sequence[str]) -> Any:
        raise ZeroDivisionError("a bug")

    def preempt(self, pod: Pod, candidates: Mapping[str, Sequence[str]]) -> Any:
        raise ZeroDivisionError("a bug")


def test_a_bug_leaves_everything_to_kube_scheduler_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    victims = {"NodeNameToMetaVictims": {"n1": {"Pods": [{"UID": "u"}], "NumPDBViolations": 2}}}

    async def act(extender: Running) -> None:
        for _ in range(3):
            assert (await extender.ask("filter", pod("a"), "n1", "n2"))["NodeNames"] == ["n1", "n2"]
        assert await extender.ask("prioritize", pod("a"), "n1", "n2") == []
        assert await extender.post("/preempt", request(pod("a")) | victims) == (200, victims)
        assert extender.count(FALLBACKS, verb="filter", reason="Bug") == 3
        assert extender.count(FALLBACKS, verb="preempt", reason="Bug") == 1

    against(SmallCluster(pod("a"), scheduler=BrokenScheduler()), act)
    of_filter = [record for record in caplog.records if record.getMessage().startswith("filter of pod default/a")]
    assert len(of_filter) == 1, "logged once a minute"
    assert of_filter[0].exc_info is not None


def test_before_the_cluster_is_known_a_call_waits_a_little_for_it() -> None:
    async def act(extender: Running) -> None:
        asking = asyncio.create_task(extender.ask("filter", pod("a"), "n1"))
        await asyncio.sleep(0.05)
        extender.synced.set()
        assert (await asking)["NodeNames"] == ["n1"]
        assert extender.count(FALLBACKS, verb="filter", reason="NotSynced") == 0

    against(SmallCluster(pod("a")), act, synced=False, sync_seconds=10.0)


def test_then_all_nodes_pass() -> None:
    async def act(extender: Running) -> None:
        assert (await extender.ask("filter", pod("a"), "n1", "n2"))["NodeNames"] == ["n1", "n2"]
        assert extender.count(FALLBACKS, verb="filter", reason="NotSynced") == 1

    against(SmallCluster(pod("a"), scheduler=BrokenScheduler()), act, synced=False, sync_seconds=0.01)


def test_a_process_that_never_syncs_stops_making_callers_wait() -> None:
    async def act(extender: Running) -> None:
        assert (await extender.ask("filter", pod("a"), "n1"))["NodeNames"] == ["n1"]

    against(SmallCluster(pod("a")), act, synced=False, sync_seconds=600.0, start_seconds=0.0)


# What nobody should send


def test_malformed_calls_get_a_reason() -> None:
    async def act(extender: Running) -> None:
        for body in (b"", b"{", b"[]", b'{"Pod":null,"NodeNames":["n1"]}', b'{"Pod":{"metadata":{"name":"a"}}}'):
            status, answer = await extender.post("/filter", body)
            assert (status, answer["reason"]) == (400, "MalformedRequest")
            assert answer["message"]
        assert extender.count(REFUSED, reason="MalformedRequest") == 5

    against(SmallCluster(), act)


def test_other_methods_paths_and_media_types_are_refused() -> None:
    async def act(extender: Running) -> None:
        async with extender.session.get(extender.url + "/filter") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
            assert (await answer.json())["reason"] == "MethodNotAllowed"
        status, refused = await extender.post("/filter", b"{}", Content_Type="text/plain")
        assert (status, refused["reason"]) == (415, "UnsupportedMediaType")
        status, refused = await extender.post("/nowhere", b"{}")
        assert (status, refused["reason"]) == (404, "NoSuchPath")
        status, refused = await extender.post("/bind", b"{}")
        assert status == 404
        assert "kube-scheduler binds by itself" in refused["message"]
        status, refused = await extender.post("/healthz", b"{}")
        assert (status, refused["reason"]) == (405, "MethodNotAllowed")

    against(SmallCluster(), act)


def test_a_body_too_long_is_refused_whether_announced_or_not() -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 1_000

    async def act(extender: Running) -> None:
        status, refused = await extender.post("/filter", b" " * 20_000)
        assert (status, refused["reason"]) == (413, "TooLarge")
        headers = {"Content-Type": "application/json"}
        async with extender.session.post(extender.url + "/filter", data=chunks(), headers=headers) as answer:
            assert answer.status == 413

    against(SmallCluster(), act, max_body=10_000)


def test_a_body_that_does_not_come_is_given_up() -> None:
    async def act(extender: Running) -> None:
        host, port = extender.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /filter HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"
        )
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"BodyTimeout" in answer
        writer.close()

    against(SmallCluster(), act, body_seconds=0.05)


def test_a_nonsense_length_is_refused() -> None:
    async def act(extender: Running) -> None:
        host, port = extender.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /filter HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()

    against(SmallCluster(), act)


# Health


def test_ready_once_the_cluster_is_known() -> None:
    async def act(extender: Running) -> None:
        async def status(path: str) -> int:
            async with extender.session.get(extender.url + path) as answer:
                return answer.status

        assert (await status("/healthz"), await status("/readyz")) == (200, 503)
        extender.synced.set()
        assert await status("/readyz") == 200

    against(SmallCluster(), act, synced=False)


def test_ending_answers_what_is_under_way_and_takes_nothing_new() -> None:
    async def scene() -> None:
        async with serving(SmallCluster(node("n1"), pod("a")), synced=False, sync_seconds=10.0) as extender:
            asking = asyncio.create_task(extender.ask("filter", pod("a"), "n1"))
            await asyncio.sleep(0.05)
            extender.ended.set()
            await asyncio.sleep(0.25)
            with pytest.raises(aiohttp.ClientError):
                await extender.ask("filter", pod("a"), "n1")
            extender.synced.set()
            assert (await asking)["NodeNames"] == ["n1"]

    asyncio.run(scene())
