"""The extender's own Lease, against a server that takes it as the API server does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from berth_cluster.connection import Connection
from berth_extender.acknowledgement import Acknowledgement, lease_name
from berth_extender.metrics import Metrics

LEASE = "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/berth-extender-scheduler-7f-0"
RENEWALS = "berth_extender_lease_renewals_total"


class ApiServer:
    """Applies Leases; refuses while it is `down`."""

    def __init__(self) -> None:
        self.leases: dict[str, Any] = {}
        self.writes: list[list[str]] = []
        self.down = False
        self.wrote = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.wrote.set()
        if self.down:
            return web.json_response({"kind": "Status", "reason": "ServiceUnavailable", "code": 503}, status=503)
        if request.method == "DELETE":
            del self.leases[request.path]
            return web.json_response({"kind": "Status", "status": "Success"})
        assert request.content_type == "application/apply-patch+yaml"
        assert request.query == {"fieldManager": "berth-extender", "force": "true"}
        applied = yaml.safe_load(await request.read())
        self.leases[request.path] = applied
        self.writes.append(json.loads(applied["metadata"]["annotations"]["berth.dev/plans"]))
        return web.json_response(applied)

    async def next_write(self) -> None:
        self.wrote.clear()
        await asyncio.wait_for(self.wrote.wait(), 5)
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[tuple[ApiServer, Connection]]:
    server = ApiServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    named = {"name": "test"}
    config = folder / "kubeconfig"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [named | {"cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "users": [named | {"user": {}}],
                "contexts": [named | {"context": {"cluster": "test", "user": "test"}}],
                "current-context": "test",
            }
        )
    )
    connection = await Connection.open(config)
    try:
        yield server, connection
    finally:
        await connection.close()
        await runner.cleanup()


class Scene:
    """One extender's acknowledgement, running, and the plans whose room it keeps."""

    def __init__(self, server: ApiServer, connection: Connection, renew_seconds: float) -> None:
        self.server = server
        self.plans: tuple[str, ...] = ()
        self.calls = 0
        self.metrics = Metrics()
        self.acknowledgement = Acknowledgement(
            connection,
            self.metrics,
            lambda: self.plans,
            lambda: self.calls,
            identity="Scheduler_7f-0",
            namespace="berth-system",
            pod_uid="uid-7f-0",
            now=lambda: datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(seconds=len(server.writes)),
            renew_seconds=renew_seconds,
        )

    def keeps(self, *uids: str) -> None:
        self.plans = uids
        self.acknowledgement.look()

    def answers(self, calls: int) -> None:
        self.calls += calls
        self.acknowledgement.look()

    @property
    def said_calls(self) -> str:
        return str(self.server.leases[LEASE]["metadata"]["annotations"]["berth.dev/calls"])

    def count(self, result: str) -> float:
        return self.metrics.registry.get_sample_value(RENEWALS, {"result": result}) or 0


def playing(folder: Path, act: Callable[[Scene], Awaitable[None]], *, renew_seconds: float = 600.0) -> None:
    async def scene() -> None:
        async with api_server(folder) as (server, connection):
            scene = Scene(server, connection, renew_seconds)
            running = asyncio.create_task(scene.acknowledgement.run())
            await server.next_write()
            await act(scene)
            running.cancel()

    asyncio.run(scene())


def test_the_lease_says_who_it_is_and_what_it_keeps(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        lease = scene.server.leases[LEASE]
        assert lease["metadata"]["labels"] == {"app.kubernetes.io/component": "extender"}
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "Scheduler_7f-0", "uid": "uid-7f-0"}
        assert lease["metadata"]["ownerReferences"] == [owner]
        assert lease["spec"] == {
            "holderIdentity": "Scheduler_7f-0",
            "leaseDurationSeconds": 15,
            "renewTime": "2026-05-01T12:00:00.000000Z",
        }

    playing(tmp_path, act)


def test_a_new_plan_is_acknowledged_at_once(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.keeps("uid-2", "uid-1")
        await scene.server.next_write()
        scene.keeps("uid-2")
        await scene.server.next_write()
        assert scene.server.writes == [[], ["uid-1", "uid-2"], ["uid-2"]]

    playing(tmp_path, act)


def test_without_news_it_is_renewed_in_time_only(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.keeps()
        await scene.server.next_write()
        await scene.server.next_write()
        times = scene.server.leases[LEASE]["spec"]["renewTime"]
        assert times == "2026-05-01T12:00:02.000000Z"

    playing(tmp_path, act, renew_seconds=0.05)


def test_that_calls_come_again_is_said_at_once_and_then_in_time_only(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.answers(3)
        await scene.server.next_write()
        assert scene.said_calls == "3"
        scene.answers(4)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scene.server.next_write(), 0.3)
        scene.keeps("uid-1")
        await scene.server.next_write()
        assert scene.said_calls == "7"

    playing(tmp_path, act)


def test_it_outlives_an_api_server_that_is_away(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.server.down = True
        scene.keeps("uid-1")
        await scene.server.next_write()
        assert scene.count("failed") >= 1
        scene.server.down = False
        await scene.server.next_write()
        assert scene.server.writes[-1] == ["uid-1"]

    playing(tmp_path, act)


def test_it_leaves_no_lease_behind(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.acknowledgement.release()
        assert scene.server.leases == {}
        await scene.acknowledgement.release()  # the second time it is gone already: said, not raised

    playing(tmp_path, act)


def test_a_host_name_becomes_the_name_of_an_object() -> None:
    assert lease_name("Worker_7.Example.com.") == "berth-extender-worker-7.example.com"
