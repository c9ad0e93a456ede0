"""A live cluster before a server, for a scenario each: `async with watched(node("n1"), pod("web")) as (server, cluster)`."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from berth_cluster.live import EVERYTHING, Kind, LiveCluster
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_cluster.watching import Pace

from .api_server import ApiServer, connected
from .builders import Thing, read_bytes

PATIENCE = 15.0
"""Seconds within which a scenario must come out as expected."""

QUICK = Pace(
    page=3, list_timeout=2, silence=30, first_delay=0.01, max_delay=0.05, healthy_after=0.2, absent=0.05, first_kinds=2
)


class Heard:
    """A listener that writes down what it heard."""

    def __init__(self) -> None:
        self.pods: list[tuple[Pod | None, Pod | None]] = []
        self.nodes: list[tuple[Node | None, Node | None]] = []
        self.others: list[tuple[object, object]] = []

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        self.nodes.append((old, new))

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        self.pods.append((old, new))

    def plan_changed(self, old: object, new: object) -> None:
        self.others.append((old, new))

    policy_changed = lease_changed = plan_changed

    def standing(self) -> dict[str, Pod]:
        """Pods by name, as what was heard adds up to. Fails where it does not add up."""
        found: dict[str, Pod] = {}
        for old, new in self.pods:
            if old is None:
                assert new is not None
                assert new.key not in found
            else:
                before = found.pop(old.key)
                assert msgspec.structs.replace(before, resource_version=old.resource_version) == old
            if new is not None:
                found[new.key] = new
        return found


@asynccontextmanager
async def watching(
    server: ApiServer, kinds: frozenset[Kind] = EVERYTHING, pace: Pace = QUICK
) -> AsyncIterator[LiveCluster]:
    """A cluster that has just begun to watch this server."""
    with tempfile.TemporaryDirectory() as folder:
        async with server.running(), connected(server, Path(folder)) as connection:
            cluster = LiveCluster(connection, kinds=kinds, pace=pace)
            task = asyncio.create_task(cluster.run())
            try:
                yield cluster
            finally:
                assert not task.done(), task.exception()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def watched(
    *things: Thing, kinds: frozenset[Kind] = EVERYTHING, pace: Pace = QUICK, synced: bool = True
) -> AsyncIterator[tuple[ApiServer, LiveCluster]]:
    """The server holds these things; the cluster has been synced with it."""
    server = ApiServer()
    for thing in things:
        await server.put(thing)
    async with watching(server, kinds, pace) as cluster:
        if synced:
            assert await cluster.wait_synced(PATIENCE)
            served = {path for path, _, _ in server.queries} & server.served
            await until(lambda: all(server.watchers[path] for path in served))
        yield server, cluster


async def until(holds: Callable[[], object]) -> None:
    """Waits for it, and says by an ordinary assertion when it does not come."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.002)
    except TimeoutError:
        assert holds()


def truth(server: ApiServer) -> Snapshot:
    """What the server holds, read as a dump: by the same definitions, without watching."""
    body = {"apiVersion": "v1", "kind": "List", "items": server.holds()}
    return comparable(read_bytes(json.dumps(body).encode()))


def comparable(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, taken="", warnings=())
