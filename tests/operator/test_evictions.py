"""What a call of the Eviction API says, and what becomes of its answers; against an HTTP server that answers as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from berth_cluster.connection import Connection
from berth_operator.evictions import Evictor
from berth_operator.execution_actions import Evict
from berth_operator.execution_metrics import ExecutionMetrics

POD = Evict("default", "web-1", "uid-1")
BY_BUDGET = "Cannot evict pod as it would violate the pod's disruption budget."


class Server:
    """Answers each eviction with the next of `answers` (status, message, Retry-After); 201 when there is none left."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str, str]] = []
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(f"{request.method} {request.path}")
        self.asked.append(json.loads(await request.text()))
        if not self.answers:
            return web.json_response({"kind": "Status", "status": "Success"}, status=201)
        status, message, retry_after = self.answers.pop(0)
        headers = {"Retry-After": retry_after} if retry_after else {}
        body = {"kind": "Status", "status": "Failure", "code": status, "reason": "Said", "message": message}
        return web.json_response(body, status=status, headers=headers)


class Stage:
    def __init__(self, server: Server, connection: Connection) -> None:
        self.server = server
        self.seconds = 0.0
        self.looked = 0
        self.registry = CollectorRegistry()
        self.evictor = Evictor(connection, ExecutionMetrics(self.registry), self._changed, lambda: self.seconds)

    def _changed(self) -> None:
        self.looked += 1

    async def ask(self) -> None:
        self.evictor.ask(POD)
        await self.evictor.settle()
        await asyncio.sleep(0)

    def counted(self, result: str) -> float:
        return self.registry.get_sample_value("berth_eviction_calls_total", {"result": result}) or 0.0


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    config = folder / "kubeconfig"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": {"server": site.name}}],
                "users": [{"name": "test", "user": {}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    connection = await Connection.open(config)
    try:
        yield Stage(server, connection)
    finally:
        await connection.close()
        await runner.cleanup()


def run(folder: Path, scenario: Callable[[Stage], Awaitable[None]]) -> None:
    async def play() -> None:
        async with stage(folder) as on:
            await scenario(on)

    asyncio.run(play())


def test_an_eviction_names_the_pod_by_its_uid_and_leaves_its_grace_period_alone(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        await on.ask()
        assert on.server.paths == ["POST /api/v1/namespaces/default/pods/web-1/eviction"]
        assert on.server.asked[0]["deleteOptions"] == {"preconditions": {"uid": "uid-1"}}
        assert on.counted("accepted") == 1
        assert on.looked == 1

    run(tmp_path, scenario)


def test_a_pod_is_not_asked_for_again_while_the_cache_may_lag(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        await on.ask()
        await on.ask()
        assert len(on.server.asked) == 1
        on.seconds = 6.0
        await on.ask()
        assert len(on.server.asked) == 2

    run(tmp_path, scenario)


def test_a_budgets_refusal_is_kept_and_asked_again_when_the_server_says(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        on.server.answers = [(429, BY_BUDGET, "10")]
        await on.ask()
        assert on.evictor.refused["uid-1"].by_budget
        assert not on.evictor.refused["uid-1"].final
        on.seconds = 9.0
        await on.ask()
        assert len(on.server.asked) == 1
        on.seconds = 10.5
        await on.ask()
        assert len(on.server.asked) == 2
        assert on.evictor.refused == {}

    run(tmp_path, scenario)


def test_without_a_time_from_the_server_the_pause_grows(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        on.server.answers = [(429, BY_BUDGET, "")] * 20
        times = []
        for tick in range(200):
            on.seconds = tick / 10
            before = len(on.server.asked)
            await on.ask()
            if len(on.server.asked) > before:
                times.append(on.seconds)
        pauses = [round(b - a) for a, b in pairwise(times)]
        assert pauses == [1, 2, 4, 5, 5]

    run(tmp_path, scenario)


def test_a_pod_that_has_gone_is_no_refusal(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        on.server.answers = [(404, "not found", ""), (409, "the UID in the precondition does not match", "")]
        await on.ask()
        on.seconds = 10.0
        await on.ask()
        assert on.evictor.refused == {}
        assert on.counted("gone") == 2

    run(tmp_path, scenario)


def test_a_pod_under_two_budgets_is_refused_for_good(tmp_path: Path) -> None:
    async def scenario(on: Stage) -> None:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        on.server.answers = [(500, message, "")]
        await on.ask()
        assert on.evictor.refused["uid-1"].final

    run(tmp_path, scenario)


def test_a_call_that_was_not_answered_may_have_been_carried_out(tmp_path: Path) -> None:
    """So it is no refusal: its record stays."""

    async def scenario(on: Stage) -> None:
        on.evictor._connection._configuration.host = "http://127.0.0.1:1"  # nobody listens there
        await on.ask()
        assert on.evictor.refused == {}
        assert on.counted("not answered") == 1

    run(tmp_path, scenario)
