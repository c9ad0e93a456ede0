"""The law of the live cluster: whatever changes and whatever goes wrong, in the end it holds what the server holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_cluster.snapshot import Pod

from .api_server import PATHS, ApiServer
from .builders import Thing, budget, node, pod
from .live_builders import PATIENCE, Heard, comparable, truth, until, watching

Act = Callable[[ApiServer], Any]

names = st.sampled_from(["a", "b", "c"])
nodes = st.sampled_from(["n1", "n2"])
paths = st.sampled_from([PATHS[kind] for kind in ("Pod", "Node", "ReplicaSet", "Namespace", "PersistentVolumeClaim")])


def owner(kind: str, name: str) -> Thing:
    return Thing("apps/v1", kind, name, "default").meta(uid=f"uid-{name}")


@st.composite
def pods(draw: st.DrawFn) -> Thing:
    thing = pod(draw(names), draw(st.sampled_from(["default", "other"])))
    if draw(st.booleans()):
        thing.on(draw(nodes))
    if draw(st.booleans()):
        thing.labelled({"app": "web", "pod-template-hash": "7d9c"}).owned_by(
            "ReplicaSet", draw(st.sampled_from(["odd", "web-7d9c"]))
        )
    if draw(st.booleans()):
        thing.annotated({"berth.dev/gang": "g"} | ({"berth.dev/gang-min": "2"} if draw(st.booleans()) else {}))
    if draw(st.booleans()):
        thing.spec(volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "claim"}}])
    if draw(st.booleans()):
        thing.repels(labelSelector={}, namespaceSelector={"matchLabels": {"team": "a"}})
    if draw(st.booleans()):
        thing.status(phase=draw(st.sampled_from(["Running", "Succeeded"])))
    return thing


@st.composite
def others(draw: st.DrawFn) -> Thing:
    match draw(st.integers(0, 6)):
        case 0:
            return node(draw(nodes)).has(cpu=draw(st.sampled_from(["1", "2"])))
        case 1:
            return owner("ReplicaSet", "odd").owned_by("Deployment", draw(st.sampled_from(["web", "api"])))
        case 2:
            return owner("Deployment", "web").owned_by("LLMService", "chat", "berth.dev/v1alpha1")
        case 3:
            return Thing("v1", "Namespace", "other").labelled({"team": draw(st.sampled_from(["a", "b"]))})
        case 4:
            claimed = {"volumeName": "v"} if draw(st.booleans()) else {}
            return Thing("v1", "PersistentVolumeClaim", "claim", "default", spec=claimed)
        case 5:
            zone = {"topology.kubernetes.io/zone": draw(st.sampled_from(["z1", "z2"]))}
            return Thing("v1", "PersistentVolume", "v", spec={}).labelled(zone)
        case _:
            return budget(draw(names), {"matchLabels": {"app": "web"}}, draw(st.integers(0, 2)))


def put(thing: Thing) -> Act:
    return lambda server: server.put(thing)


def gone(place: tuple[str, str, str]) -> Act:
    return lambda server: server.delete(*place)


@st.composite
def faults(draw: st.DrawFn) -> Act:
    path, status = draw(paths), draw(st.sampled_from([429, 500, 503]))
    match draw(st.integers(0, 5)):
        case 0:
            return lambda server: server.cut(path)
        case 1:
            return lambda server: server.cut(path, '{"type":"MODIFIED","object":{"meta')
        case 2:
            return lambda server: server.say_error(path, 410, "Expired")
        case 3:
            return lambda server: server.bookmark(path)
        case 4:

            async def forget(server: ApiServer) -> None:
                server.compact(path)
                await server.cut(path)

            return forget
        case _:

            async def refuse(server: ApiServer) -> None:
                server.refuse(path, status, "Told", times=2)
                await server.cut(path)

            return refuse


def pause(seconds: float) -> Act:
    return lambda _: asyncio.sleep(seconds)


deletions = st.one_of(
    st.tuples(st.just("Pod"), names, st.sampled_from(["default", "other"])).map(gone),
    st.tuples(st.just("Node"), nodes, st.just("")).map(gone),
    st.just(gone(("PersistentVolumeClaim", "claim", "default"))),
    st.just(gone(("Namespace", "other", ""))),
    st.tuples(st.just("PodDisruptionBudget"), names, st.just("default")).map(gone),
)
acts = st.one_of(
    pods().map(put), pods().map(put), others().map(put), deletions, faults(), st.sampled_from([0.0, 0.003]).map(pause)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(acts, max_size=4), st.lists(acts, max_size=25))
def test_whatever_happens_it_ends_with_what_the_server_holds(before: list[Act], after: list[Act]) -> None:
    async def scenario() -> None:
        server = ApiServer()
        for act in before:
            await act(server)
        async with watching(server) as cluster:
            heard = Heard()
            cluster.listen(heard)
            for act in after:
                await act(server)
            assert await cluster.wait_synced(PATIENCE)
            expected = truth(server)
            await until(lambda: comparable(cluster.snapshot()) == expected)
            fresh = Heard()
            cluster.listen(fresh)
            assert {k: without_version(p) for k, p in heard.standing().items()} == {
                k: without_version(p) for k, p in fresh.standing().items()
            }

    asyncio.run(scenario())


def without_version(found: Pod) -> Pod:
    return msgspec.structs.replace(found, resource_version="")
