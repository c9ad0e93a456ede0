"""An API server that is only written to: it keeps objects by path, refuses what a real one would, and can lose its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from berth_cluster.connection import Connection

Json = dict[str, Any]


class WritingServer:
    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        """Path of each object to its JSON."""
        self.writes: list[tuple[str, str]] = []
        """Method and path of everything but GET, in order."""
        self.loses_answers = False

    def put(self, path: str, body: Json) -> None:
        self.objects[path] = body

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removesuffix("/status")
        if request.method != "GET":
            self.writes.append((request.method, request.path))
        body = json.loads(await request.read() or b"{}")
        status, answer = self._do(request.method, path, body)
        if self.loses_answers and request.method == "POST":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer, status=status)

    def _do(self, method: str, path: str, body: Json) -> tuple[int, Json]:
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return _refusal(409, "AlreadyExists")
            body["metadata"].update(uid=f"uid-{len(self.objects)}", resourceVersion="1")
            self.objects[path] = body
            return 201, body
        known = self.objects.get(path)
        if known is None:
            return _refusal(404, "NotFound")
        if method == "PATCH":
            wanted = body.get("metadata", {})
            if any(key in wanted and wanted[key] != known["metadata"].get(key) for key in ("uid", "resourceVersion")):
                return _refusal(409, "Conflict")
            _merge(known, body)
        elif method == "DELETE":
            wanted = body.get("preconditions", {}).get("uid")
            if wanted not in (None, known["metadata"]["uid"]):
                return _refusal(409, "Conflict")
            del self.objects[path]
        return 200, known


def _refusal(code: int, reason: str) -> tuple[int, Json]:
    return code, {"kind": "Status", "code": code, "reason": reason, "message": reason}


def _merge(target: Json, patch: Json) -> None:
    """RFC 7386."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def with_server(folder: Path, scenario: Callable[[WritingServer, Connection], Awaitable[None]]) -> None:
    async def run() -> None:
        server = WritingServer()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server._answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        file = folder / "kubeconfig"
        file.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "it",
                    "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                    "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                    "users": [{"name": "it", "user": {"token": "secret"}}],
                }
            )
        )
        connection = await Connection.open(file)
        try:
            async with asyncio.timeout(20):
                await scenario(server, connection)
        finally:
            await connection.close()
            await runner.cleanup()

    asyncio.run(run())
